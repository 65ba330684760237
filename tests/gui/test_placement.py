"""Layers lie on each other wherever the user takes one of them, and pixels have the size that the world gives them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari.layers import Image, Labels

from napari_bonescint.gui.placement import (
    corners,
    follow,
    is_sheared,
    lies_on,
    pixel_sides,
    place_of,
    put_on,
    straighten,
    world,
)

POINTS = [(0, 0), (10.5, 20), (29, 3)]
# What napari's transform mode and scripts set, alone and together; turned by 90 degrees, mirrored and larger.
PLACES: dict[str, dict[str, Any]] = {
    "scale": {"scale": (2.4, 2.2), "units": ("mm", "mm")},
    "translate": {"translate": (3, 50)},
    "rotate": {"rotate": 30},
    "shear": {"shear": [0.3]},
    "affine": {"affine": np.array([[0, 2.0, 5], [-2.0, 0, 7], [0, 0, 1]])},
    "mirrored": {"affine": np.diag([1.0, -1, 1])},
    "all": {
        "scale": (2.4, 2.2),
        "translate": (3, 50),
        "rotate": 30,
        "shear": [0.3],
        "affine": np.array([[1.0, 0.2, 5], [0, 2, 7], [0, 0, 1]]),
        "units": ("mm", "mm"),
    },
}


def image(**place: Any) -> Image:
    return Image(np.ones((30, 20)), **place)


def in_world(layer: Any) -> np.ndarray:
    """By napari's own reckoning."""
    return np.array([layer.data_to_world(point) for point in POINTS])


@pytest.mark.parametrize("name", PLACES)
def test_a_layer_made_on_another_lies_on_it(name: str) -> None:
    below = image(**PLACES[name])
    labels = Labels(np.zeros((30, 20), int), **place_of(below))
    np.testing.assert_allclose(in_world(labels), in_world(below))
    assert labels.units == below.units
    assert lies_on(labels, below)
    np.testing.assert_allclose(world(below, POINTS), in_world(below))


@pytest.mark.parametrize("name", PLACES)
def test_a_layer_put_on_another_lies_on_it(name: str) -> None:
    below, labels = image(**PLACES[name]), Labels(np.zeros((30, 20), int), rotate=70, scale=(5, 5))
    assert not lies_on(labels, below)
    put_on(labels, below)
    np.testing.assert_allclose(in_world(labels), in_world(below))


@pytest.mark.parametrize("name", PLACES)
def test_a_follower_goes_with_its_layer_and_takes_it_nowhere(name: str) -> None:
    below, labels = image(), Labels(np.zeros((30, 20), int))
    follow(labels, below)
    for attribute, value in PLACES[name].items():
        setattr(below, attribute, value)
    np.testing.assert_allclose(in_world(labels), in_world(below))
    before = in_world(below)
    labels.affine.translate = (9, 9)  # two layers must not share one transform
    labels.affine = labels.affine
    np.testing.assert_array_equal(in_world(below), before)
    assert not lies_on(labels, below)


def test_layers_of_different_shape_do_not_lie_on_each_other() -> None:
    assert not lies_on(Labels(np.zeros((30, 21), int)), image())


@pytest.mark.parametrize(
    ("place", "sides"),
    [
        ({"scale": (2.4, 2.2)}, (2.4, 2.2)),
        ({"scale": (2.4, -2.2)}, (2.4, 2.2)),
        ({"scale": (2.4, 2.2), "rotate": 30}, (2.4, 2.2)),
        ({"scale": (2.4, 2.2), "rotate": 90}, (2.4, 2.2)),
        ({"scale": (2.4, 2.2), "affine": PLACES["affine"]["affine"]}, (4.8, 4.4)),
        ({"scale": (2.4, 2.2), "affine": np.diag([1, 3, 1])}, (2.4, 6.6)),
        ({"shear": [0.3]}, None),
        ({"scale": (2.4, 2.2), "rotate": 45, "affine": np.diag([1, 3, 1])}, None),
        ({"affine": np.diag([1.0, 0, 1])}, None),
    ],
)
def test_sides_of_pixels(place: dict[str, Any], sides: tuple[float, float] | None) -> None:
    layer = image(**place)
    assert pixel_sides(layer) == (None if sides is None else pytest.approx(sides))
    assert pixel_sides(layer, "mm") is None
    layer.units = ("cm", "cm")
    assert pixel_sides(layer, "mm") == (None if sides is None else pytest.approx((10 * sides[0], 10 * sides[1])))
    assert is_sheared(image(shear=[0.3]))
    assert not is_sheared(image(rotate=30))


def test_corners_are_where_the_image_ends() -> None:
    turned = image(scale=(2, 3), translate=(5, 7), affine=np.array([[0, -1.0, 0], [1, 0, 0], [0, 0, 1]]))
    np.testing.assert_allclose(corners(turned), [(-7, 5), (-67, 5), (-7, 65), (-67, 65)])


def test_straightened_layers_keep_scale_and_position() -> None:
    layer = image(**PLACES["all"])
    straighten(layer)
    np.testing.assert_allclose(in_world(layer), np.array(POINTS) * (2.4, 2.2) + (3, 50))
