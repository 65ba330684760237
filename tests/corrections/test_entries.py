from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_bonescint.corrections.entries import agreement, difference, entries_of, pair_to_compare
from napari_bonescint.corrections.store.records.revision import Origin

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_bonescint.corrections.entries import Entry
    from napari_bonescint.corrections.store.label_store import LabelStore
    from napari_bonescint.scan import Scan
    from napari_bonescint.segmentation import Segmentation


@pytest.fixture
def mask(scan: Scan) -> NDArray[np.uint8]:
    """100 pixels of femur in each view."""
    mask = np.zeros(scan.counts.shape, np.uint8)
    mask[:, 20:30, 20:30] = 14
    return mask


@pytest.fixture
def entries(store: LabelStore, case: str, mask: NDArray[np.uint8], segmentation: Segmentation) -> list[Entry]:
    """The model's mask, then revisions of AB, CD and CD; CD's have half of the femur."""
    store.add_prediction(case, segmentation)
    half = mask.copy()
    half[:, 25:] = 0
    for annotator, regions in (("AB", mask), ("CD", half), ("CD", half)):
        store.save(case, regions, Origin.empty(), annotator=annotator, reviewed=False)
    return entries_of(store.revisions(case), store.prediction(case))


def test_the_entries_are_the_models_mask_and_the_revisions(
    store: LabelStore, case: str, entries: list[Entry], segmentation: Segmentation, mask: NDArray[np.uint8]
) -> None:
    assert [entry.title for entry in entries] == ["model tiny", "revision 1", "revision 2", "revision 3"]
    assert [str(entry.origin) for entry in entries[:2]] == ["model tiny", "revision 1"]
    np.testing.assert_array_equal(entries[0].read(store, case), segmentation.regions)
    np.testing.assert_array_equal(entries[1].read(store, case), mask)


def test_the_last_masks_of_two_annotators_are_compared_first(entries: list[Entry]) -> None:
    assert pair_to_compare(entries) == [entries[1], entries[3]]
    assert pair_to_compare(entries[:2]) == entries[:2]
    assert pair_to_compare(entries[:1]) == entries[:1]
    assert pair_to_compare([]) == []


def test_agreement_of_two_annotators_is_their_dice(store: LabelStore, case: str, entries: list[Entry]) -> None:
    result = difference(store, case, entries[1], entries[3])
    # Half of 100 pixels in either view: 2 * 50 / (100 + 50).
    assert result.comparison.dice == pytest.approx(2 / 3)
    assert result.comparison.region_changed == {"femur": 100}
    assert result.picture.shape == (131, 134, 3)
    sentence = agreement(entries[1], entries[3], result.comparison)
    assert sentence == "AB (revision 1) and CD (revision 3) agree: Dice 0.667, 100 pixels differ."


def test_a_mask_of_bone_alone_is_compared_as_such(store: LabelStore, case: str, mask: NDArray[np.uint8]) -> None:
    store.save(case, mask, Origin.empty(), annotator="AB", reviewed=False)
    bone = (mask > 0).astype(np.uint8)
    store.save(case, bone, Origin.imported(), annotator="AB", reviewed=False, names_regions=False)
    first, second = entries_of(store.revisions(case), None)
    assert difference(store, case, first, second).comparison.dice == 1
