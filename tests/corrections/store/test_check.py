"""A check names every file that is not what was saved, and only those."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import tifffile

from napari_bonescint.corrections.store.check import check_store
from napari_bonescint.corrections.store.drafts import Drafts
from napari_bonescint.corrections.store.records.revision import Origin

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from napari_bonescint.corrections.store.label_store import LabelStore
    from napari_bonescint.segmentation import Segmentation

FILES = [
    "case.json",
    "counts.tif",
    "predictions/0001.json",
    "predictions/0001.probability.tif",
    "predictions/0001.tif",
    "revisions/0001.json",
    "revisions/0001.tif",
]


@pytest.fixture
def filled(
    store: LabelStore, case: str, some_regions: Callable[[int], np.ndarray], segmentation: Segmentation
) -> LabelStore:
    """A store with one of everything."""
    store.add_prediction(case, segmentation)
    store.save(case, some_regions(1), Origin.empty(), annotator="Ada", reviewed=True)
    Drafts(store).save(case, "Ada", some_regions(2), Origin.of_revision(1))
    return store


def test_a_whole_store_has_no_damage(filled: LabelStore) -> None:
    fractions: list[float] = []
    found = check_store(filled, fractions.append)
    assert (found.cases, found.revisions, found.predictions, found.drafts) == (1, 1, 1, 1)
    assert (found.damage, found.leftovers) == ([], [])
    assert fractions == [0.0]


@pytest.mark.parametrize("name", FILES)
def test_one_changed_byte_is_found(filled: LabelStore, case: str, name: str) -> None:
    path = filled.files(case).folder / name
    content = bytearray(path.read_bytes())
    place = len(content) // 2
    if path.suffix == ".tif":
        with tifffile.TiffFile(path) as tiff:
            place = tiff.pages.first.dataoffsets[0] + tiff.pages.first.databytecounts[0] // 2
    content[place] ^= 1
    path.write_bytes(content)
    assert any(str(path) in sentence for sentence in check_store(filled, lambda _fraction: None).damage)


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".tif") or name == "case.json"])
def test_a_missing_file_is_found(filled: LabelStore, case: str, name: str) -> None:
    path = filled.files(case).folder / name
    path.unlink()
    assert f"{path}: is missing." in check_store(filled, lambda _fraction: None).damage


def test_a_foreign_draft_is_found(filled: LabelStore) -> None:
    (filled.folder / "drafts" / "notes.txt").write_text("call the ward")
    (sentence,) = check_store(filled, lambda _fraction: None).damage
    assert sentence.endswith("notes.txt: is no draft, or a damaged one.")


def test_what_interrupted_writes_left_is_no_damage(filled: LabelStore, case: str) -> None:
    files = filled.files(case)
    left = [files.revisions / "0002.tif", files.revisions / ".ab.part", filled.folder / "drafts" / ".cd.part"]
    for path in left:
        path.touch()
    found = check_store(filled, lambda _fraction: None)
    assert found.damage == []
    assert sorted(found.leftovers) == sorted(left)
