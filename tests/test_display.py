from __future__ import annotations

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file

from napari_bonescint.display import contrast_limits


def body() -> np.ndarray:
    """A body of 30 counts with bones of 60, in air of 1."""
    counts = np.ones((200, 80))
    counts[10:190, 20:60] = 30
    counts[10:190, 35:45] = 60
    return counts


def test_a_hot_bladder_does_not_change_the_window() -> None:
    hot = body()
    hot[120:130, 36:44] = 5000
    assert contrast_limits(hot) == pytest.approx(contrast_limits(body()), rel=0.05)


def test_bone_is_well_within_the_window() -> None:
    black = contrast_limits(body())[1]
    assert 60 < black < 180


def test_the_window_follows_the_counts() -> None:
    assert contrast_limits(10 * body())[1] == pytest.approx(10 * contrast_limits(body())[1])


def test_of_a_real_scan_little_but_the_bladder_is_black() -> None:
    counts = pydicom.dcmread(get_testdata_file("JPEG-LL.dcm", download=False)).pixel_array
    black = contrast_limits(counts)[1]
    inside = counts[counts > 10]
    assert 0.005 < np.mean(inside >= black) < 0.04


@pytest.mark.parametrize("value", [0, np.nan])
def test_an_empty_image_has_a_window_too(value: float) -> None:
    assert contrast_limits(np.full((5, 5), value)) == (0.0, 1.0)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int64, np.float32])
def test_the_window_is_that_of_the_sorted_pixels(dtype: type) -> None:
    counts = np.random.default_rng(3).negative_binomial(1, 0.1, (97, 41)).clip(0, 250).astype(dtype)
    counts.flat[:3] = 0, 1, 250
    inside = np.sort(counts[counts > 0].astype(np.float64))
    body = inside[inside > 0.1 * np.quantile(inside, 0.95)]
    assert contrast_limits(counts) == pytest.approx((0, 1.6 * np.quantile(body, 0.9)))
    assert contrast_limits(np.array([[0, 7]], dtype)) == pytest.approx((0, 1.6 * 7))
