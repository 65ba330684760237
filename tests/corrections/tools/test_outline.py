from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_bonescint.corrections.tools.outline import fill_holes, grow, shrink, smooth

RIBS, FEMUR = 6, 14


def square() -> np.ndarray:
    regions = np.zeros((30, 30), np.uint8)
    regions[10:20, 10:20] = FEMUR
    return regions


def test_grow_by_one_adds_the_four_sides() -> None:
    assert np.count_nonzero(grow(square(), FEMUR)) == 100 + 40


def test_shrink_by_one_leaves_eight_by_eight() -> None:
    assert np.count_nonzero(shrink(square(), FEMUR)) == 64


def test_shrink_keeps_the_border_to_another_bone() -> None:
    regions = square()
    regions[20:30, 10:20] = RIBS
    assert np.count_nonzero(shrink(regions, FEMUR) == FEMUR) == 9 * 8


def test_smooth_takes_off_a_spike_and_keeps_the_bone() -> None:
    regions = square()
    regions[14, 20:26] = FEMUR
    smoothed = smooth(regions, FEMUR)
    assert not smoothed[14, 22:].any()
    assert (smoothed[12:18, 12:18] == FEMUR).all()


def test_fill_holes_fills_background_and_no_other_bone() -> None:
    regions = square()
    regions[13:15, 13:15] = 0
    regions[16:18, 16:18] = RIBS
    filled = fill_holes(regions, FEMUR)
    assert (filled[13:15, 13:15] == FEMUR).all()
    assert (filled[16:18, 16:18] == RIBS).all()


@pytest.mark.parametrize("tool", [grow, shrink, smooth, fill_holes])
@given(arrays(np.uint8, (15, 17), elements=st.integers(0, 16)), st.integers(1, 16))
def test_other_bones_are_never_touched(tool, regions: np.ndarray, code: int) -> None:
    changed = tool(regions, code)
    others = (regions != 0) & (regions != code)
    assert np.array_equal(changed[others], regions[others])
    assert set(np.unique(changed[~others])) <= {0, code}


@pytest.mark.parametrize("tool", [grow, shrink, smooth, fill_holes])
def test_region_that_is_not_there_changes_nothing(tool) -> None:
    assert np.array_equal(tool(square(), RIBS), square())
