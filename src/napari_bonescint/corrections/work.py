"""Open a label store for correction: all its cases, or the scans of one folder."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from napari_bonescint.corrections.errors import StoreError
from napari_bonescint.corrections.queue import WorkItem, queue_of_folder, queue_of_store
from napari_bonescint.corrections.store.drafts import Draft, Drafts
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.corrections.store_place import Place, place
from napari_bonescint.formats.left_out import LeftOut
from napari_bonescint.text import counted

if TYPE_CHECKING:
    from pathlib import Path

    from napari_bonescint.scan import Scan


@dataclass(frozen=True)
class Work:
    """A work list and its label store.

    Attributes
    ----------
    store : LabelStore
    scans : Path or None
        The folder of scans; None for the store's own cases.
    items : list of WorkItem
        In the order of correction.
    waiting : list of Draft
        The annotator's unsaved work.
    left_out : LeftOut
        The files of the folder that are not in the list.
    """

    store: LabelStore
    scans: Path | None
    items: list[WorkItem]
    waiting: list[Draft]
    left_out: LeftOut = field(default_factory=LeftOut)

    @property
    def damage(self) -> str:
        """A sentence about damaged cases, which the items lack; empty if there are none."""
        damaged = self.store.damaged_cases
        if not damaged:
            return ""
        number, are = counted(len(damaged), "case"), "is" if len(damaged) == 1 else "are"
        return f"{number} of {self.store.folder} {are} damaged and not shown; `bonescint store check` gives the reason."

    def read(self, item: WorkItem) -> Scan:
        """The scan of an item.

        Raises
        ------
        Refusal
            If its file cannot be read.
        StoreError
            If its case is damaged or cannot be reached.
        """
        if item.case is not None:
            return self.store.scan(item.case.key)
        if item.source is None:
            raise ValueError("an item has a case or a source")
        return item.source.open()


def open_store(folder: Path) -> LabelStore:
    """Open a store, or make one in an empty or a new folder; see `open_work` for the errors."""
    found = place(folder)
    if found is Place.TAKEN:
        raise StoreError(
            f"{folder}: is not empty, and no label store; make one in a new folder (Open > New label store)."
        )
    return LabelStore.create(folder) if found is Place.FREE else LabelStore.open(folder)


def open_work(store: Path, annotator: str, scans: Path | None = None) -> Work:
    """Open a store, or make one in an empty folder, and list its work.

    Parameters
    ----------
    store : Path
        Folder of the store.
    annotator : str
        Whose drafts are listed.
    scans : Path, optional
        A folder of scans to correct; without it, the store's own cases.

    Raises
    ------
    StoreError
        If the folder has other content, or cannot be reached.
    CannotWrite
        If the store cannot be made.
    Refusal
        If the folder of scans has no scan.
    """
    opened = open_store(store)
    waiting = Drafts(opened).waiting(annotator)
    if scans is None:
        return Work(opened, None, queue_of_store(opened), waiting)
    items, left_out = queue_of_folder(scans, opened)
    return Work(opened, scans, items, waiting, left_out)
