"""What may be open in the panel "Correct masks": no store, a store, or a case of it (`Correcting`).

The user goes on drawing while the next case is read and while a revision is written: neither is a state of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_bonescint.corrections.work import Work
    from napari_bonescint.gui.correct.work_queue import WorkQueue


class Unsaved(Enum):
    """What becomes of unsaved work."""

    SAVE = "Save"
    DISCARD = "Discard"
    CANCEL = "Cancel"


class NoStore:
    """No label store is open."""


@dataclass(frozen=True, eq=False)
class StoreOpen:
    """A label store is open.

    Attributes
    ----------
    work : Work
        The store, and the folder of scans if they are corrected.
    queue : WorkQueue
        What there is to correct.
    """

    work: Work
    queue: WorkQueue
