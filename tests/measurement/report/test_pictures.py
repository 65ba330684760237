"""Pictures of the views with outlines and numbers."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
from PIL import Image

from napari_bonescint.measurement.report.pictures import draw_views


def drawn_pixels(drawn) -> np.ndarray:
    picture = draw_views(drawn.scan, drawn.regions, drawn.measured)
    image = np.asarray(Image.open(io.BytesIO(picture.png)).convert("RGB")).astype(int)
    assert image.shape == (picture.height, picture.width, 3)
    return image


def red(image):
    return (image[..., 0] > 180) & (image[..., 1] < 60) & (image[..., 2] < 60)


def test_a_suspicious_hot_spot_is_red_at_its_place_in_both_views(draw):
    image = drawn_pixels(draw(1, 1))
    halves = np.array_split(red(image), 2, axis=1)
    # The patient's right: left of the middle in the anterior view, and right of it in the posterior one.
    centres = [np.nonzero(half)[1].mean() / half.shape[1] for half in halves]
    assert centres[0] < 0.4
    assert centres[1] > 0.6
    assert not red(drawn_pixels(draw(1, 0))).any()


def test_pixels_that_are_not_square_keep_the_shape_of_the_body(draw):
    drawn = draw(0, 0)
    square = drawn_pixels(replace(drawn, scan=replace(drawn.scan, spacing=(2.0, 2.0))))
    wide = drawn_pixels(replace(drawn, scan=replace(drawn.scan, spacing=(2.0, 4.0))))
    assert wide.shape[1] / wide.shape[0] > 1.7 * square.shape[1] / square.shape[0]


def test_margins_without_counts_are_cut_off(draw):
    drawn = draw(0, 0)
    empty = np.where(drawn.regions > 0, drawn.scan.counts, 0)
    cut = drawn_pixels(replace(drawn, scan=replace(drawn.scan, counts=empty)))
    # Bones lie in rows 10 to 184 and columns 20 to 59 of 200 x 80, with a margin of 2 per cent and the camera's blur.
    assert 2 * 44 / 183 * 0.85 < cut.shape[1] / cut.shape[0] * 2.4 / 2.2 < 2 * 44 / 183 * 1.15
