"""The cache of what a work list shows may be missing, damaged, foreign or old, and never changes what is shown."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.corrections.store.records.revision import Origin

if TYPE_CHECKING:
    from napari_bonescint.scan import Scan


@pytest.fixture
def full(store: LabelStore, scan: Scan) -> LabelStore:
    """A store with as many cases as make an index worth writing, the last change to them an hour ago."""
    small = replace(scan, counts=scan.counts[:, :20, :10])
    for number in range(70):
        store.add(replace(small, source_sha256=f"{number:064x}"))
    for folder in store.folder.glob("cases/*/*/"):
        os.utime(folder, (folder.stat().st_mtime - 3600,) * 2)
    store.cases()
    (store.folder / "index.json").unlink()
    LabelStore.open(store.folder).cases()
    return store


def test_the_index_tells_what_the_files_tell(full: LabelStore) -> None:
    index = full.folder / "index.json"
    with_index = LabelStore.open(full.folder).cases()
    index.unlink()
    assert LabelStore.open(full.folder).cases() == with_index
    assert len(with_index) == 70


def test_a_revision_of_another_process_is_seen(full: LabelStore) -> None:
    case = full.keys()[3]

    mask = np.zeros((2, 20, 10), np.uint8)
    LabelStore.open(full.folder).save(case, mask, Origin.empty(), annotator="Bea", reviewed=True)
    for store in (full, LabelStore.open(full.folder)):
        assert {summary.key: summary.annotator for summary in store.cases()}[case] == "Bea"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\x00",
        b"[]",
        b'{"version": 2}',
        b'{"version": 2, "stamps": [], "cases": [[1]]}',
        b'{"version": 1, "cases": []}',
        b'{"version": 99}',
    ],
)
def test_a_foreign_or_damaged_index_is_made_anew(full: LabelStore, content: bytes) -> None:
    index = full.folder / "index.json"
    before = index.read_bytes()
    index.write_bytes(content)
    assert len(LabelStore.open(full.folder).cases()) == 70
    assert json.loads(index.read_bytes()) == json.loads(before)


def test_a_store_that_cannot_keep_an_index_is_listed_all_the_same(full: LabelStore) -> None:
    index = full.folder / "index.json"
    index.unlink()
    index.mkdir()
    assert len(LabelStore.open(full.folder).cases()) == 70


def test_a_damaged_case_is_left_out_and_named(full: LabelStore) -> None:
    broken, lacking, *_ = full.keys()
    (full.folder / "cases" / broken / "case.json").write_bytes(b"{")
    (full.folder / "cases" / lacking / "revisions").rmdir()
    (full.folder / "index.json").unlink()
    fresh = LabelStore.open(full.folder)
    assert len(fresh.cases()) == 68
    assert list(fresh.damaged_cases) == [broken, lacking]
    assert f"{broken}{os.sep}case.json: is damaged" in fresh.damaged_cases[broken]


def test_what_else_lies_among_the_cases_is_no_case(full: LabelStore) -> None:
    (full.folder / "cases" / "Thumbs.db").write_bytes(b"")
    (full.folder / "cases" / ".part-left").mkdir()
    assert len(LabelStore.open(full.folder).cases()) == 70


@pytest.mark.parametrize(
    ("column", "value"),
    [("uncertainty", "much"), ("predicted_dice", [1]), ("when", 5), ("annotator", {}), ("key", 5), ("shape", [1])],
)
def test_an_index_with_a_value_of_another_kind_is_made_anew(full: LabelStore, column: str, value: object) -> None:
    before = full.cases()
    path = full.folder / "index.json"
    kept = json.loads(path.read_bytes())
    kept["cases"][column][0] = value
    path.write_text(json.dumps(kept))
    assert LabelStore.open(full.folder).cases() == before
