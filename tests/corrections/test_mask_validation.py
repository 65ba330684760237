from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_bonescint.corrections.selection import select
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.corrections.store.records.revision import Origin

if TYPE_CHECKING:
    from pathlib import Path

    from napari_bonescint.scan import Scan

CASES = 70


@pytest.fixture
def store(tmp_path: Path, scan: Scan) -> LabelStore:
    """As many small scans as are worth remembering."""
    store = LabelStore.create(tmp_path / "store")
    counts = scan.counts[:, :32, :16]
    mask = np.zeros(counts.shape, np.uint8)
    mask[:, 5:9, 4:8], mask[:, 9:14, 4:8] = 3, 4
    for number in range(CASES):
        key = store.add(replace(scan, counts=counts + np.uint16(number)))
        store.save(key, mask, Origin.empty(), annotator="Ada", reviewed=True)
    return store


def spoil(path: Path) -> None:
    """Change a file's pixels, but neither its size nor its time."""
    facts = path.stat()
    path.write_bytes(bytes(facts.st_size))
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))


def used(store: LabelStore) -> int:
    selection = select([store])
    return len(selection.scans)


def test_masks_that_were_found_fit_are_not_read_again(store: LabelStore) -> None:
    before = select([store])
    counts, mask = store.pixel_files(store.keys()[0], 1)
    spoil(counts)
    spoil(mask)
    after = select([store])
    assert (after.scans, after.left_out) == (before.scans, before.left_out)
    assert len(after.scans) == CASES


@pytest.mark.parametrize("part", [0, 1])
def test_a_file_that_changed_is_read_again(store: LabelStore, part: int) -> None:
    assert used(store) == CASES
    path = store.pixel_files(store.keys()[0], 1)[part]
    path.write_bytes(b"II*\0")
    selection = select([store])
    assert len(selection.scans) == CASES - 1
    ((case, why),) = selection.left_out
    assert case == store.keys()[0]
    assert f"{path.name}: is damaged" in why


def test_what_was_amiss_is_named_each_time(store: LabelStore, scan: Scan) -> None:
    key = store.add(replace(scan, counts=scan.counts[:, :30, :16]))
    store.save(key, np.zeros((2, 30, 16), np.uint8), Origin.empty(), annotator="Ada", reviewed=True)
    for _ in range(2):
        assert select([store]).left_out == [(key, "Revision 1 shows no bone in the anterior view.")]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"version": 1, "masks": {"a/1": "b"}}', '{"version": 99}'])
def test_a_damaged_cache_is_made_anew(store: LabelStore, content: str) -> None:
    assert used(store) == CASES
    cache = store.folder / "fit.json"
    whole = cache.read_text()
    cache.write_text(content)
    assert used(store) == CASES
    assert cache.read_text() == whole


def test_progress_is_told(store: LabelStore) -> None:
    told: list[float] = []
    select([store], told.append)
    assert told[0] == 0.0
    assert told == sorted(told)
