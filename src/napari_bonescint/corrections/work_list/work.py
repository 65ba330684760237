"""Open a label store for correction: all its cases, or the scans of a folder, in the order in which they were left."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from napari_bonescint.corrections.errors import StoreError
from napari_bonescint.corrections.store.drafts import Draft, Drafts
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.corrections.store_place import Place, place
from napari_bonescint.corrections.work_list.queue import WorkItem, as_before, queue_of_folder, queue_of_store, row_of
from napari_bonescint.corrections.work_list.record import ListRecord, is_same, list_name, read_record, remember
from napari_bonescint.files.atomic import CannotWrite
from napari_bonescint.formats.left_out import LeftOut
from napari_bonescint.text.formatting import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_bonescint.scan import Scan

_REASONS = 3


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
    place : int
        Row of the case that was opened last; -1 if there is none.
    missing : Path or None
        The folder of scans if it is gone, and the list has cases of the store instead.
    names : mapping of str to str
        The names by which the annotator knows cases, by key.
    """

    store: LabelStore
    scans: Path | None
    items: list[WorkItem]
    waiting: list[Draft]
    left_out: LeftOut = field(default_factory=LeftOut)
    place: int = -1
    missing: Path | None = None
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path | None:
        """The folder of scans, even if it is gone; None for the store's own cases."""
        return self.scans or self.missing

    @property
    def notice(self) -> str:
        """What the user should know about the list; empty if there is nothing."""
        if self.missing is not None:
            return (
                f"{self.missing}: the folder is not there, so the list shows the cases of the label store. Connect its "
                "disk or network folder, and open it again."
            )
        return "" if self.items else "This store has no cases: open a folder of scans."

    @property
    def damage(self) -> str:
        """Sentences about damaged cases, which the items lack, with the first reasons; empty if there are none."""
        reasons = list(self.store.damaged_cases.values())
        if not reasons:
            return ""
        number, are, them = counted(len(reasons), "case"), *(("is", "it") if len(reasons) == 1 else ("are", "them"))
        more = [f"And {len(reasons) - _REASONS} more."] if len(reasons) > _REASONS else []
        told = f"{number} of {self.store.folder} {are} damaged and not shown; restore {them} from a backup."
        return " ".join([told, *reasons[:_REASONS], *more])

    def note_opened(self, item: WorkItem, title: str) -> None:
        """Remember on this computer that a case is open, its name, and its title; raises `CannotWrite`."""
        names = {item.key: item.name} if item.key and item.name != item.key else {}
        titles = {item.key: title} if item.key else {}
        remember(self.store.folder, self.folder, opened=row_of(item, self.folder), names=names, titles=titles)

    def note_list(self) -> None:
        """Remember on this computer the order of the list, and the names of its scans; raises `CannotWrite`."""
        names = {item.key: item.name for item in self.items if item.source is not None and item.key}
        # Without the folder, the list lacks the scans that are not in the store yet.
        rows = None if self.missing else tuple(row_of(item, self.folder) for item in self.items)
        remember(self.store.folder, self.folder, rows=rows, names=names)

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


def open_work(store: Path, annotator: str, scans: Path | None = None, *, anew: bool = False) -> Work:
    """Open a store, or make one in an empty folder, and list its work.

    The list has the order and the place in which it was left on this computer. If its folder of scans is gone, the
    cases of the store are listed.

    Parameters
    ----------
    store : Path
        Folder of the store.
    annotator : str
        Whose drafts are listed.
    scans : Path, optional
        A folder of scans to correct; without it, the store's own cases.
    anew : bool
        Whether to order the list anew, the most useful scan first.

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
    record = read_record(store)
    before = ListRecord() if anew else record.lists.get(list_name(scans), ListRecord())
    missing = scans if scans is not None and before.rows and not _is_there(scans) else None
    folder = None if missing is not None else scans
    left_out = LeftOut()
    if folder is None:
        items = queue_of_store(opened, record.names)
    else:
        items, left_out = queue_of_folder(folder, opened)
    items = as_before(items, before.rows, folder)
    row = next((row for row, item in enumerate(items) if is_same(row_of(item, folder), before.place)), -1)
    names = {**record.names, **{item.key: item.name for item in items if item.key and item.name != item.key}}
    work = Work(opened, folder, items, Drafts(opened).waiting(annotator), left_out, row, missing, names)
    # Work goes on without a record, for example on a full disk.
    with suppress(CannotWrite):
        work.note_list()
    return work


def resume_work(store: Path, annotator: str) -> Work:
    """Open a store with the list that was used last on this computer; see `open_work`."""
    scans = read_record(store).scans
    return open_work(store, annotator, Path(scans) if scans else None)


def _is_there(folder: Path) -> bool:
    try:
        return folder.is_dir()
    except OSError:
        return False
