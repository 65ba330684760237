"""Lists and names are kept for each store on this computer, for the owner alone, and damage costs no more than them."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from napari_bonescint.corrections.work_list.record import (
    ListRecord,
    StoreRecord,
    is_same,
    list_name,
    read_record,
    recent_lists,
    remember,
)
from napari_bonescint.files.atomic import CannotWrite

if TYPE_CHECKING:
    from pathlib import Path

ROWS = (("a.dcm", "k1"), ("b/c.dcm", ""))


def test_lists_and_names_come_back_for_each_store(tmp_path: Path) -> None:
    first, second, scans = tmp_path / "first", tmp_path / "second", tmp_path / "scans"
    for store in (first, second):
        store.mkdir()
    assert read_record(first) == StoreRecord(str(first))
    remember(first, scans, rows=ROWS, names={"k1": "a"})
    remember(second, None, rows=(("", "k9"),))
    remember(first, scans, opened=("b/c.dcm", "k2"), names={"k2": "b/c"})
    record = read_record(first)
    assert record.lists == {str(scans): ListRecord((("a.dcm", "k1"), ("b/c.dcm", "k2")), ("b/c.dcm", "k2"))}
    assert (record.scans, record.names) == (list_name(scans), {"k1": "a", "k2": "b/c"})
    remember(first, None, rows=(("", "k1"),))
    assert read_record(first).lists[str(scans)] == record.lists[str(scans)]
    assert read_record(second).lists == {"": ListRecord((("", "k9"),))}


def test_recent_lists_are_those_of_stores_that_are_still_there(tmp_path: Path, records_folder: Path) -> None:
    assert recent_lists(3) == []
    stores = [tmp_path / name for name in ("old", "new", "gone")]
    for number, store in enumerate(stores):
        store.mkdir()
        remember(store, tmp_path / "scans" if number else None, rows=ROWS)
        (path,) = [path for path in records_folder.glob("*.json") if str(store) in path.read_text()]
        path.write_text(json.dumps(json.loads(path.read_text()) | {"when": f"2026-03-0{number + 1}"}))
    stores[2].rmdir()
    assert recent_lists(3) == [(stores[1], tmp_path / "scans"), (stores[0], None)]
    assert recent_lists(1) == [(stores[1], tmp_path / "scans")]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such numbers")
def test_only_the_owner_may_read_the_names(tmp_path: Path, records_folder: Path) -> None:
    remember(tmp_path, None, rows=ROWS, names={"k1": "Doe, Jane"})
    (path,) = records_folder.iterdir()
    assert (path.stat().st_mode & 0o777, records_folder.stat().st_mode & 0o777) == (0o600, 0o700)


def test_a_damaged_record_is_forgotten_and_replaced(tmp_path: Path, records_folder: Path) -> None:
    remember(tmp_path, None, rows=ROWS, names={"k1": "a"})
    (path,) = records_folder.iterdir()
    for content in (b"", b"[]", b'{"store": 3}', path.read_bytes().replace(str(tmp_path).encode(), b"elsewhere")):
        path.write_bytes(content)
        assert read_record(tmp_path) == StoreRecord(str(tmp_path))
    remember(tmp_path, None, rows=ROWS)
    assert read_record(tmp_path).lists == {"": ListRecord(ROWS)}


def test_a_record_that_cannot_be_written_is_one_sentence(tmp_path: Path, records_folder: Path) -> None:
    records_folder.write_text("a file, where the folder should be")
    with pytest.raises(CannotWrite, match="work"):
        remember(tmp_path, None, rows=ROWS)


def test_rows_are_of_one_scan_by_file_or_by_key() -> None:
    assert is_same(("a", ""), ("a", "k"))
    assert is_same(("", "k"), ("a", "k"))
    assert not is_same(("", "k"), ("a", ""))
    assert not is_same(("", ""), ("", ""))
