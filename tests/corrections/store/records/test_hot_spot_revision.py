"""Hot spots of a case are kept like the revisions of its mask: only added, each whole or absent."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_bonescint.corrections.errors import Damaged, StoreError
from napari_bonescint.corrections.store.check import check_store
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.corrections.store.merging import merge
from napari_bonescint.corrections.store.records.found_hot_spots import FoundPixels
from napari_bonescint.corrections.store.records.hot_spot_revision import SpotDecision
from napari_bonescint.corrections.store.records.revision import Origin
from napari_bonescint.scan import ViewName

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_bonescint.corrections.store.records.hot_spot_revision import HotSpotRevision
    from napari_bonescint.scan import Scan

FOUND = Origin.of_model("hot-spots", "ab" * 32)
BONES = Origin.of_model("phase-u-net-regions", "cd" * 32)
DECISIONS = (
    SpotDecision(ViewName.ANTERIOR, 1, suspicious=True, by_reader=False),
    SpotDecision(ViewName.POSTERIOR, 3, suspicious=False, by_reader=True),
)


@pytest.fixture
def store(tmp_path: Path) -> LabelStore:
    return LabelStore.create(tmp_path / "store")


@pytest.fixture
def spots(scan: Scan) -> NDArray[np.uint16]:
    labels = np.zeros(scan.counts.shape, np.uint16)
    labels[0, 20:24, 30:33] = 1
    labels[1, 50:52, 30:33] = 3
    return labels


def save(
    store: LabelStore, case: str, labels: NDArray[np.uint16], annotator: str = "Ada", **kept: Origin
) -> HotSpotRevision:
    return store.save_hot_spots(
        case, labels, DECISIONS, annotator=annotator, **{"origin": FOUND, "mask": BONES, **kept}
    )


def test_what_a_reader_decided_is_there_again(store: LabelStore, scan: Scan, spots: NDArray[np.uint16]) -> None:
    case = store.add(replace(scan, source_sha256="1"))
    assert store.hot_spot_revisions(case) == []  # as in a store of an earlier version, which has no such folder
    saved = save(store, case, spots)
    again = save(store, case, spots, "Bo", origin=Origin.of_revision(saved.number))
    found = LabelStore.open(store.folder).hot_spot_revisions(case)
    assert found == [saved, again]
    assert [each.number for each in found] == [1, 2]
    assert (found[0].annotator, found[0].origin, found[0].mask, found[0].spots) == ("Ada", FOUND, BONES, DECISIONS)
    np.testing.assert_array_equal(store.hot_spots(case, 1), spots)
    assert saved.changed == ()  # as in records of an earlier version
    changed = (FoundPixels(ViewName.ANTERIOR, 7, 3, 4, 2),)
    store.save_hot_spots(case, spots, DECISIONS, annotator="Bo", origin=FOUND, mask=BONES, changed=changed)
    assert store.hot_spot_revisions(case)[-1].changed == changed
    # The files of a shipped model's hot spots must not tell whose scan it is.
    assert save(store, case, spots).labels_sha256 != saved.labels_sha256
    checked = check_store(store, lambda _: None)
    assert (checked.hot_spots, checked.damage, checked.leftovers) == (4, [], [])


def test_what_does_not_fit_is_refused(store: LabelStore, scan: Scan, spots: NDArray[np.uint16]) -> None:
    case = store.add(replace(scan, source_sha256="1"))
    with pytest.raises(StoreError, match="annotator is missing"):
        save(store, case, spots, " ")
    with pytest.raises(StoreError, match="must be uint16 of shape"):
        save(store, case, spots[:1])
    with pytest.raises(StoreError, match="are not the same; measure the scan again"):
        save(store, case, np.where(spots == 3, 4, spots).astype(np.uint16))
    assert store.hot_spot_revisions(case) == []


def test_a_damaged_file_is_named_and_the_rest_stays(store: LabelStore, scan: Scan, spots: NDArray[np.uint16]) -> None:
    case = store.add(replace(scan, source_sha256="1"))
    for _ in range(2):
        save(store, case, spots)
    folder = store.files(case).hot_spots
    (folder / "0001.json").write_text("{}")
    content = (folder / "0002.tif").read_bytes()
    (folder / "0002.tif").write_bytes(content[:-1])
    assert [each.number for each in store.hot_spot_revisions(case)] == [2]
    with pytest.raises(Damaged, match="pixels are not those that were saved"):
        store.hot_spots(case, 2)
    damage = check_store(store, lambda _: None).damage
    assert len(damage) == 2
    assert "0001.json" in damage[0]
    assert "0002.tif" in damage[1]


def test_merged_stores_have_the_hot_spots_of_both(
    tmp_path: Path, store: LabelStore, scan: Scan, spots: NDArray[np.uint16]
) -> None:
    case = store.add(replace(scan, source_sha256="1"))
    copy = tmp_path / "copy"
    shutil.copytree(store.folder, copy)
    other = LabelStore.open(copy)
    regions = np.zeros(scan.counts.shape, np.uint8)
    store.save(case, regions, Origin.empty(), annotator="Ada", reviewed=False)
    theirs = other.save(case, regions + np.uint8(1), Origin.empty(), annotator="Bo", reviewed=False)
    save(store, case, spots)
    first = save(other, case, spots, "Bo", mask=Origin.of_revision(theirs.number))
    save(other, case, spots, "Bo", origin=Origin.of_revision(first.number))
    assert merge(store, other).revisions == 3
    assert merge(store, other).revisions == 0
    found = store.hot_spot_revisions(case)
    assert [each.annotator for each in found] == ["Ada", "Bo", "Bo"]
    # Numbers of revisions are those of the merged store.
    assert found[1].mask == Origin.of_revision(2)
    assert found[2].origin == Origin.of_revision(2)
    np.testing.assert_array_equal(store.hot_spots(case, 3), spots)
    empty = LabelStore.create(tmp_path / "empty")
    assert merge(empty, store).copied == 1
    assert empty.hot_spot_revisions(case) == found
    assert check_store(empty, lambda _: None).damage == []
