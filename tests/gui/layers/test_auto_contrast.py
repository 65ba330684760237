"""napari's own buttons for contrast, on a scan with a bladder that outshines all bone."""

from __future__ import annotations

import copy
import gc
import weakref

import numpy as np
import pytest
from napari.layers import Image

from napari_bonescint.display import contrast_limits
from napari_bonescint.gui.layers.auto_contrast import follow_bone

HOT = 5000


@pytest.fixture
def image() -> Image:
    counts = np.random.default_rng(2).poisson(3, (200, 60)).astype(np.uint16)
    counts[20:180, 20:40] += 40
    counts[100:106, 28:34] = HOT
    return Image(counts, colormap="gray_r", contrast_limits=contrast_limits(counts))


def test_bone_stays_in_the_window_whichever_button_is_pressed(image: Image) -> None:
    image.reset_contrast_limits()
    assert image.contrast_limits[1] == HOT  # napari's own
    follow_bone(image)
    follow_bone(image)
    image.reset_contrast_limits()
    assert image.contrast_limits == list(contrast_limits(image.data))
    assert image.contrast_limits[1] < 100
    image.contrast_limits = (10, 20)
    image.auto_contrast = True
    assert image.contrast_limits[1] < 100
    image.refresh()
    assert image.contrast_limits[1] < 100
    image.data = 2 * image.data
    assert 100 < image.contrast_limits[1] < 200


def test_the_range_of_the_slider_stays_that_of_the_data(image: Image) -> None:
    follow_bone(image)
    image.reset_contrast_limits_range()
    assert image.contrast_limits_range == [0, 65535]


def test_a_picture_with_dark_uptake_keeps_napari_s_contrast(image: Image) -> None:
    image.data = image.data.max() - image.data
    follow_bone(image)
    image.reset_contrast_limits()
    assert image.contrast_limits == [image.data.min(), image.data.max()]


def test_it_keeps_no_layer_alive(image: Image) -> None:
    layer = Image(copy.copy(image.data))
    follow_bone(layer)
    alive = weakref.ref(layer)
    del layer
    gc.collect()
    assert alive() is None
