"""States of the panel "Correct masks", its questions, and what its controller reports.

No store is open, a store, a case of it (`Correcting`), or a scan that is in no store (`CorrectingScan`). Reading the
next case and writing a revision are no states, because the user continues to draw meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from psygnal import Signal

if TYPE_CHECKING:
    from napari_bonescint.corrections.work_list.work import Work
    from napari_bonescint.gui.correct.work_queue import WorkQueue


class Unsaved(Enum):
    """Answers to the question about unsaved work on a case."""

    SAVE = "Save"
    DISCARD = "Discard"
    CANCEL = "Cancel"


class UnsavedScan(Enum):
    """Answers to the question about unsaved work on a scan that is in no label store."""

    KEEP = "Keep as a draft"
    SAVE = "Save to a label store …"
    DISCARD = "Discard"
    CANCEL = "Cancel"


class Restored(Enum):
    """Answers to the question about an old mask that another annotator reviewed."""

    REVIEWED = "Restore as reviewed"
    NOT_REVIEWED = "Restore, not reviewed"
    CANCEL = "Cancel"


class NoStore:
    """No label store is open."""


@dataclass(frozen=True, eq=False)
class StoreOpen:
    """A label store is open, with its work list."""

    work: Work
    queue: WorkQueue


class Reports:
    """The signals of the controller."""

    changed = Signal()
    """Emitted when the open case or scan, its data or the comment has changed."""
    message = Signal(str, bool)
    """Emitted with a sentence about the store, which may be empty, and whether it is an error."""
    status = Signal(str, bool)
    """Emitted with a sentence about the open case, which may be empty, and whether it is an error."""
    name_missing = Signal()
    """Emitted when nothing can be saved because the annotator's name is missing."""
    store_opened = Signal(StoreOpen)
    """Emitted when another store is open."""
    tools_moved = Signal(object)
    """Emitted with the `OpenCase` for the tools, or None."""
    scan_warned = Signal(object, object)
    """Emitted with the images of the open scan and the warnings of the model that has segmented it meanwhile."""
    drafts_offered = Signal(object)
    """Emitted with a list of all drafts of the annotator."""
    draft_withdrawn = Signal(str)
    """Emitted with the key of a case whose draft is gone."""
    drawn = Signal()
    """Emitted when the mask may have changed; `keep` should be called within seconds."""
    wanted = Signal()
    """Emitted when the open case or scan was asked for elsewhere; the window should come to the front."""
