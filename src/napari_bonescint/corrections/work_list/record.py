"""Remember work lists between two starts: their order, the place, and the names by which the annotator knows the scans.

    WORK/
      HASH.json     the lists of one label store; HASH is made of the path of the store

WORK is the folder ``work`` in the user's data folder, or the folder in the environment variable BONESCINT_WORK. Names
of files may contain names of patients, so only the owner may read the folder, and nothing of it is written to a store.
If the system cannot close the folder to others, nothing is remembered.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from napari_bonescint.errors import BonescintError
from napari_bonescint.files.atomic import make_folder, write_bytes_atomically
from napari_bonescint.files.facts import build, one_sentence, read_json
from napari_bonescint.files.owner_only import close_to_others, is_open_to_others

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER_VARIABLE = "BONESCINT_WORK"

_DIGITS = 32

OWN_CASES = ""
"""Name of the list of a store's own cases, among the lists by folder."""

Row = tuple[str, str]
"""A row of a list: the file below the folder of scans, and the key of the case; one of them may be empty."""


@dataclass(frozen=True)
class ListRecord:
    """A work list as it was left.

    Attributes
    ----------
    rows : tuple of (str, str)
        See `Row`, in order.
    place : (str, str)
        The row that was opened last.
    """

    rows: tuple[Row, ...] = ()
    place: Row = ("", "")


@dataclass(frozen=True)
class StoreRecord:
    """The work lists of a label store.

    Attributes
    ----------
    store : str
        Path of the store.
    when : str
        Time of the last change in UTC.
    scans : str
        Folder of the list that was used last; `OWN_CASES` for the store's own cases.
    names : dict of str to str
        The name by which the annotator knows a case, by key.
    titles : dict of str to str
        The title of a case in a window, by key; it does not show who the patient is.
    lists : dict of str to ListRecord
        By folder of scans.
    """

    store: str
    when: str = ""
    scans: str = OWN_CASES
    names: dict[str, str] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)
    lists: dict[str, ListRecord] = field(default_factory=dict)


class _Unreadable(BonescintError):
    """A record is damaged; it is replaced by the next one."""


def records_folder() -> Path:
    """The folder of the records; it need not exist."""
    chosen = os.environ.get(FOLDER_VARIABLE)
    return Path(chosen) if chosen else Path(platformdirs.user_data_dir("napari-bonescint", appauthor=False)) / "work"


def read_record(store: Path) -> StoreRecord:
    """The record of a store; an empty one if there is none, or it is damaged."""
    path = _path(store)
    with suppress(_Unreadable):
        record = _read(path)
        # Two paths with one hash are improbable, but they would show the names of other patients.
        if record.store == _absolute(store):
            return record
    return StoreRecord(_absolute(store))


def remember(
    store: Path,
    scans: Path | None,
    *,
    rows: tuple[Row, ...] | None = None,
    opened: Row | None = None,
    names: Mapping[str, str] | None = None,
    titles: Mapping[str, str] | None = None,
) -> None:
    """Update the record of a store.

    Parameters
    ----------
    store : Path
    scans : Path or None
        The folder of scans of the list that is used; None for the store's own cases.
    rows : tuple of (str, str), optional
        All rows of the list; without them, the list stays.
    opened : (str, str), optional
        The row that is open now; without it, the place stays.
    names : mapping of str to str, optional
        More names, by key.
    titles : mapping of str to str, optional
        More titles, by key.

    Raises
    ------
    CannotWrite
        If the disk is full, or the folder is not writable.
    """
    before = read_record(store)
    which = list_name(scans)
    known = before.lists.get(which, ListRecord())
    kept = known.rows if rows is None else rows
    if opened is not None:
        # A scan of a folder has a key once it was opened.
        kept = tuple(opened if is_same(row, opened) else row for row in kept)
    changed = ListRecord(kept, opened or known.place)
    record = replace(
        before,
        scans=which,
        names={**before.names, **(names or {})},
        titles={**before.titles, **(titles or {})},
        lists={**before.lists, which: changed},
    )
    if record != before:
        _write(replace(record, when=datetime.now(UTC).isoformat(timespec="seconds")))


def list_name(scans: Path | None) -> str:
    """The name of a list in a record, by its folder of scans; None for the store's own cases."""
    return OWN_CASES if scans is None else _absolute(scans)


def is_same(row: Row, other: Row) -> bool:
    """Whether two rows are of one scan."""
    return any(mine and mine == its for mine, its in zip(row, other, strict=True))


def recent_lists(most: int) -> list[tuple[Path, Path | None]]:
    """The lists that were used last, one for each store that still exists: store and folder of scans, newest first."""
    records = []
    for path in records_folder().glob("*.json"):
        with suppress(_Unreadable):
            records.append(_read(path))
    records.sort(key=lambda record: record.when, reverse=True)
    there = [record for record in records if _exists(Path(record.store))]
    return [(Path(record.store), Path(record.scans) if record.scans else None) for record in there[:most]]


def _read(path: Path) -> StoreRecord:
    with one_sentence(lambda why: _Unreadable(f"{path}: {why}.")):
        return build(StoreRecord, read_json(path, file_names=True))


def _write(record: StoreRecord) -> None:
    folder = records_folder()
    is_new = not folder.exists()
    make_folder(folder)
    if (is_new or is_open_to_others(folder)) and not close_to_others(folder):
        return
    path = _path(Path(record.store))
    # Names of files may have bytes that are no text, which Python keeps as halves of characters.
    write_bytes_atomically(path, json.dumps(asdict(record)).encode())
    if is_open_to_others(path):
        close_to_others(path)


def _path(store: Path) -> Path:
    digits = hashlib.sha256(_absolute(store).encode(errors="surrogateescape")).hexdigest()[:_DIGITS]
    return records_folder() / f"{digits}.json"


def _absolute(folder: Path) -> str:
    return os.path.abspath(folder)  # noqa: PTH100 - `resolve` would wait for network folders that are gone


def _exists(folder: Path) -> bool:
    try:
        return folder.is_dir()
    except OSError:
        return False
