from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.ndimage import binary_erosion

from napari_bonescint.counted_scan import CountedScan
from napari_bonescint.training.data.counted_examples import UNNAMED_BONE, draw_counted_example

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_bonescint.simulation.case import Case


@pytest.fixture
def counted(case: Case) -> CountedScan:
    return CountedScan(case.count(np.random.default_rng(0), 2e6), case.regions, names_regions=True)


def test_examples_are_normalised_and_other_each_time(counted: CountedScan) -> None:
    examples = [draw_counted_example(counted, 0, np.random.default_rng(seed), 17, 8.0, (64, 32)) for seed in range(6)]
    for example in examples:
        assert example.image.shape == (1, 64, 32)
        assert example.codes.shape == (192, 96)
        assert 0 <= example.image.min() < example.image.max() <= 4
        assert set(np.unique(example.codes)) <= {0, 3, 14}
    assert len({example.image.tobytes() for example in examples}) == 6


def test_what_a_mask_does_not_name_is_bone_of_no_name(counted: CountedScan) -> None:
    outlined = replace(counted, regions=(counted.regions > 0).astype(np.uint8), names_regions=False)
    for classes, bone in ((17, UNNAMED_BONE), (2, 1)):
        example = draw_counted_example(outlined, 0, np.random.default_rng(1), classes, 8.0, (64, 32))
        assert set(np.unique(example.codes)) == {0, bone}


def test_a_shorter_scan_is_noisier_and_a_picture_is_not_counted_again(counted: CountedScan) -> None:
    def noise(counts: NDArray[np.generic]) -> float:
        """The largest spread within one evenly bright bone, of some examples."""
        spreads = []
        for seed in range(20):
            even = replace(counted, scan=replace(counted.scan, counts=counts))
            example = draw_counted_example(even, 0, np.random.default_rng(seed), 17, 3.0, (128, 64))
            spreads.append(float(example.image[0][binary_erosion(example.codes == 3, iterations=3)].std()))
        return max(spreads)

    even = np.where(counted.regions == 3, 250, 0)
    assert noise(even.astype(np.uint16)) > 0.01
    assert noise(even.astype(np.uint8)) < 0.002
