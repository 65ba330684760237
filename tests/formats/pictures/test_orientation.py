"""Rows and columns come out as Pillow, which is another's work, turns them."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageOps

from napari_bonescint.formats.pictures import orientation

PICTURE = np.arange(12, dtype=np.uint8).reshape(3, 4)


@pytest.mark.parametrize("stored", range(1, 9))
def test_pixels_are_turned_as_pillow_turns_them(stored: int) -> None:
    image = Image.fromarray(PICTURE)
    image.getexif()[orientation.TAG] = stored
    expected = np.asarray(ImageOps.exif_transpose(image))
    np.testing.assert_array_equal(orientation.turned(PICTURE, stored), expected)
    channels = np.stack([PICTURE, PICTURE + 1], axis=-1)
    np.testing.assert_array_equal(orientation.turned(channels, stored)[..., 1], expected + 1)
    assert orientation.exchanges_axes(stored) is (expected.shape == (4, 3))


def test_what_is_told() -> None:
    assert orientation.orientation_warnings(1) == []
    assert "stored mirrored (orientation 4)" in str(orientation.orientation_warnings(4))
    assert "stored turned (orientation 3)" in str(orientation.orientation_warnings(3))
    assert "stored turned (orientation 6)" in str(orientation.orientation_warnings(6))


@pytest.mark.parametrize("stored", [0, 9, -1, 65535])
def test_a_number_that_stands_for_nothing_says_nothing(stored: int) -> None:
    assert orientation.turned(PICTURE, stored) is PICTURE
    assert orientation.orientation_warnings(stored) == []
    assert not orientation.exchanges_axes(stored)
