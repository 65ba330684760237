"""Corrected scans as a set to score on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from judged import bar_scan, corrected_store
from napari_bonescint.corrections.selection import select
from napari_bonescint.corrections.store.records.revision import Origin
from napari_bonescint.evaluation.corrected_set import CorrectedSet

if TYPE_CHECKING:
    from pathlib import Path

MODEL, OTHER = "ab" * 32, "cd" * 32


def test_scans_come_with_masks_and_patients(tmp_path: Path) -> None:
    store = corrected_store(tmp_path / "store", 3, Origin.empty())
    corrected = CorrectedSet(select([store]).held_out)
    references = list(corrected)
    assert len(corrected) == len(references) == corrected.patients == 3
    assert {reference.name for reference in references} == set(store.keys())
    assert {reference.patient for reference in references} == {case.patient_key for case in store.cases()}
    counts = {bar_scan(number)[0].counts.tobytes() for number in range(3)}
    assert {reference.scan.counts.tobytes() for reference in references} == counts
    assert all(np.isin(reference.regions, [0, 3, 4]).all() and reference.names_regions for reference in references)


def test_masks_that_only_tell_bone_say_so(tmp_path: Path) -> None:
    store = corrected_store(tmp_path / "store", 1, Origin.empty(), names_regions=False)
    (reference,) = CorrectedSet(select([store]).held_out)
    assert not reference.names_regions
    assert set(np.unique(reference.regions)) == {0, 1}


def test_a_copy_of_a_store_adds_nothing(tmp_path: Path) -> None:
    stores = [corrected_store(tmp_path / name, 2, Origin.empty()) for name in ("one", "two")]
    held_out = select(stores).held_out
    assert len(held_out) == 4
    assert len(CorrectedSet(held_out)) == 2


def test_masks_are_traced_back_to_the_model_they_began_as(tmp_path: Path) -> None:
    store = corrected_store(tmp_path / "store", 3, Origin.of_model("tiny", MODEL))
    first, second, third = store.keys()
    # Corrected twice more, and begun anew from an empty mask.
    for case, number in ((first, 1), (first, 2)):
        store.save(case, store.regions(case, 1), Origin.of_revision(number), annotator="Ada", reviewed=True)
    store.save(second, store.regions(second, 1), Origin.empty(), annotator="Ada", reviewed=True)
    corrected = CorrectedSet(select([store]).held_out)
    assert corrected.made_from(MODEL) == 2
    assert corrected.made_from(OTHER) == 0
    store.save(third, store.regions(third, 1), Origin.of_model("other", OTHER), annotator="Ada", reviewed=True)
    assert CorrectedSet(select([store]).held_out).made_from(OTHER) == 1


def test_the_hash_follows_the_masks(tmp_path: Path) -> None:
    store = corrected_store(tmp_path / "store", 2, Origin.empty())
    before = CorrectedSet(select([store]).held_out).sha256()
    assert CorrectedSet(select([store]).held_out).sha256() == before
    case = store.keys()[0]
    mask = store.regions(case, 1)
    mask[:, 50, 21] = 0
    store.save(case, mask, Origin.of_revision(1), annotator="Ada", reviewed=True)
    assert CorrectedSet(select([store]).held_out).sha256() != before
