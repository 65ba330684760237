"""States of the panel "Correct masks": no store is open, a store, or a case of it (`Correcting`).

Reading the next case and writing a revision are no states, because the user continues to draw meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_bonescint.corrections.work import Work
    from napari_bonescint.gui.correct.work_queue import WorkQueue


class Unsaved(Enum):
    """Answers to the question about unsaved work."""

    SAVE = "Save"
    DISCARD = "Discard"
    CANCEL = "Cancel"


class NoStore:
    """No label store is open."""


@dataclass(frozen=True, eq=False)
class StoreOpen:
    """A label store is open, with its work list."""

    work: Work
    queue: WorkQueue
