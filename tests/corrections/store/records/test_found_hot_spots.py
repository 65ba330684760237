"""Hot spots as they were found are known again from where the reader has changed them."""

from __future__ import annotations

import numpy as np

from napari_bonescint.corrections.store.records.found_hot_spots import FoundPixels, changed_pixels, found_hot_spots
from napari_bonescint.scan import ViewName

VIEWS = (ViewName.ANTERIOR, ViewName.POSTERIOR)


def test_any_change_is_kept() -> None:
    rng = np.random.default_rng(5)
    for _ in range(20):
        found, left = rng.integers(0, 3, (2, 2, 9, 7)).astype(np.uint16)
        np.testing.assert_array_equal(found_hot_spots(left, changed_pixels(found, left, VIEWS), VIEWS), found)
    assert changed_pixels(found, found, VIEWS) == ()


def test_an_erased_hot_spot_is_kept_row_by_row() -> None:
    found = np.zeros((2, 9, 7), np.uint16)
    found[1, 2:4, 4:7] = 3
    found[1, 4, 0:2] = 3  # no neighbour of the end of the row above
    assert changed_pixels(found, np.zeros_like(found), VIEWS) == (
        FoundPixels(ViewName.POSTERIOR, 2, 4, 3, 3),
        FoundPixels(ViewName.POSTERIOR, 3, 4, 3, 3),
        FoundPixels(ViewName.POSTERIOR, 4, 0, 2, 3),
    )


def test_pixels_outside_the_scan_are_left_out() -> None:
    left = np.zeros((1, 9, 7), np.uint16)
    odd = [
        FoundPixels(ViewName.POSTERIOR, 2, 4, 3, 3),
        FoundPixels(ViewName.ANTERIOR, 9, 4, 3, 3),
        FoundPixels(ViewName.ANTERIOR, -1, 4, 3, 3),
        FoundPixels(ViewName.ANTERIOR, 2, -4, 3, 3),
        FoundPixels(ViewName.ANTERIOR, 2, 4, -3, 3),
        FoundPixels(ViewName.ANTERIOR, 2, 4, 3, 2**16),
    ]
    np.testing.assert_array_equal(found_hot_spots(left, odd, VIEWS[:1]), left)
    assert found_hot_spots(left, [FoundPixels(ViewName.ANTERIOR, 2, 4, 30, 3)], VIEWS[:1]).sum() == 9
