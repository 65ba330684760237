from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import label

from napari_bonescint.corrections.tools.smart_brush import SmartBrush, smart_brush
from napari_bonescint.corrections.tools.strokes import swept

HUMERUS = 10
IS_BONE = (np.arange(40) >= 15) & (np.arange(40) < 22)
COUNTS = np.random.default_rng(2).poisson(np.where(IS_BONE, 60, 8), (60, 40))
ALONG = np.stack([np.arange(10.0, 50.0), np.full(40, 18.0)], axis=1)


def test_paints_the_bone_and_not_what_lies_beside_it() -> None:
    painted = smart_brush(np.zeros((60, 40), np.uint8), COUNTS, ALONG, 8, HUMERUS)[10:50]
    assert (painted[:, 16:21] == HUMERUS).all()
    assert not painted[:, 12:14].any()
    assert not painted[:, 23:].any()


def test_erases_beside_the_bone_and_not_the_bone() -> None:
    erased = smart_brush(np.full((60, 40), HUMERUS, np.uint8), COUNTS, ALONG, 8, 0)[10:50]
    assert (erased[:, 16:21] == HUMERUS).all()
    assert not erased[:, 12:14].any()


@pytest.mark.parametrize("code", [HUMERUS, 0])
def test_a_brush_that_follows_the_mouse_paints_what_the_whole_stroke_paints(code: int) -> None:
    rng = np.random.default_rng(7)
    counts = rng.poisson(np.where(IS_BONE, 30, 4), (120, 40))
    regions = np.where(IS_BONE, 3, 0).astype(np.uint8) * np.ones((120, 1), np.uint8)
    regions[30:90] = rng.integers(0, 2, (60, 40)) * 5
    path = np.stack([np.arange(20.0, 110.0), 18 + 6 * np.sin(np.arange(90) / 9)], axis=1)
    brush = SmartBrush(counts)
    for points in range(1, len(path) + 1, 8):
        followed = brush.paint(regions, path[:points], 5, code)
        np.testing.assert_array_equal(followed, smart_brush(regions, counts, path[:points], 5, code))
    assert np.count_nonzero(followed != regions) > 50


BODY = np.where(np.arange(90) < 60, 6.0, 0.02) * np.ones((120, 1))  # soft tissue, and air beside it
BODY[:, 10:17] = 30
MASK = np.zeros(BODY.shape, np.uint8)
MASK[:, 10:17] = HUMERUS


def pieces(mask: np.ndarray) -> list[int]:
    return np.bincount(label(mask > 0, np.ones((3, 3)))[0].ravel())[1:].tolist()


@pytest.mark.parametrize("column", [30.0, 45.0, 57.0])
def test_in_soft_tissue_it_paints_nothing_and_erases_everything(column: float) -> None:
    counts = np.random.default_rng(4).poisson(BODY)
    along = np.stack([np.arange(20.0, 100.0), np.full(80, column)], axis=1)
    assert np.array_equal(smart_brush(MASK, counts, along, 4, HUMERUS), MASK)
    wrong = MASK.copy()
    wrong[swept(along, 4, MASK.shape)] = HUMERUS
    assert np.array_equal(smart_brush(wrong, counts, along, 4, 0), MASK)


def test_beside_a_bone_it_leaves_no_specks() -> None:
    along = np.stack([np.arange(20.0, 100.0), np.full(80, 14.0)], axis=1)
    for seed in range(10):
        counts = np.random.default_rng(seed).poisson(np.where(BODY == 30, 12, BODY))
        painted = smart_brush(np.zeros_like(MASK), counts, along, 8, HUMERUS)
        (size,) = pieces(painted)
        assert size > 80 * 5


@given(
    arrays(np.uint8, (20, 25), elements=st.integers(0, 16)),
    arrays(np.uint16, (20, 25), elements=st.integers(0, 1000)),
    arrays(np.float64, st.tuples(st.integers(1, 6), st.just(2)), elements=st.floats(-9, 30)),
    st.integers(0, 16),
)
def test_only_pixels_under_the_brush_change_and_only_to_its_code(
    regions: np.ndarray, counts: np.ndarray, path: np.ndarray, code: int
) -> None:
    painted = smart_brush(regions, counts, path, 3, code)
    changed = painted != regions
    assert not (changed & ~swept(path, 3, (20, 25))).any()
    assert (painted[changed] == code).all()
