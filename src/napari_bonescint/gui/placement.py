"""Where layers lie in the world: scaled, moved, and turned, sheared or transformed by the user."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.utils.transforms import Affine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.layers import Layer
    from numpy.typing import NDArray

# What makes up a layer's place, by the names of napari's attributes and events.
_ATTRIBUTES = ("units", "scale", "translate", "rotate", "shear", "affine")
# Cosine of the angle between rows and columns: napari's own rounding is far below it.
_PERPENDICULAR = 1e-6


def place_of(layer: Layer) -> dict[str, Any]:
    """What another layer needs to lie on a layer, as arguments of napari's layers."""
    return {**{name: _value(layer, name) for name in _ATTRIBUTES}, "axis_labels": layer.axis_labels}


def put_on(layer: Layer, other: Layer) -> None:
    """Have a layer lie on another one, wherever that is by now."""
    for name in _ATTRIBUTES:
        _take_over(layer, other, name)


def follow(layer: Layer, other: Layer) -> None:
    """Have a layer lie on another one whenever the user moves, scales, turns, shears or transforms that."""
    follower = weakref.ref(layer)

    def take_along(event: Any) -> None:
        following = follower()
        if following is not None:
            _take_over(following, event.source, event.type)

    for name in _ATTRIBUTES:
        getattr(other.events, name).connect(take_along)


def lies_on(layer: Layer, other: Layer) -> bool:
    """Whether the pixels of two layers lie on each other, one on one."""
    return layer.data.shape == other.data.shape and np.allclose(_matrix(layer), _matrix(other))


def world(layer: Layer, points: Sequence[Sequence[float]] | NDArray[np.generic]) -> NDArray[np.float64]:
    """Where in the world points of a layer lie, both of shape (n, [y, x]), the points in pixels."""
    matrix = _matrix(layer)
    return np.asarray(points, np.float64) @ matrix[:-1, :-1].T + matrix[:-1, -1]


def corners(layer: Layer) -> NDArray[np.float64]:
    """Where in the world the corners of an image lie, of shape (4, [y, x])."""
    height, width = layer.data.shape
    return world(layer, [(0, 0), (0, width), (height, 0), (height, width)])


def pixel_sides(layer: Layer, unit: str | None = None) -> tuple[float, float] | None:
    """How long pixels are down the columns and along the rows of an image.

    Parameters
    ----------
    layer : Layer
        The image.
    unit : str, optional
        In what; in numbers of the layer's own units if not given.

    Returns
    -------
    (float, float) or None
        None if the units cannot become `unit`, or if rows and columns are not perpendicular.
    """
    if unit is not None and not all(each.is_compatible_with(unit) for each in layer.units):
        return None
    per_unit = [1.0 if unit is None else float((1 * each).to(unit).magnitude) for each in layer.units]
    linear = np.asarray(per_unit)[:, np.newaxis] * _matrix(layer)[:-1, :-1]
    y, x = (float(np.hypot(*column)) for column in linear.T)
    if min(y, x) == 0 or is_sheared(layer):
        return None
    return y, x


def is_sheared(layer: Layer) -> bool:
    """Whether rows and columns of an image are not perpendicular in the world, so that its pixels are no rectangles."""
    down, along = _matrix(layer)[:-1, :-1].T
    return bool(abs(down @ along) > _PERPENDICULAR * np.hypot(*down) * np.hypot(*along))


def straighten(layer: Layer) -> None:
    """Take out of a layer of two dimensions all but its scale and position."""
    for name, plain in (("rotate", np.eye(2)), ("shear", np.zeros(1)), ("affine", np.eye(3))):
        if not np.array_equal(_value(layer, name), plain):
            setattr(layer, name, plain)


def _take_over(layer: Layer, other: Layer, name: str) -> None:
    wanted, present = _value(other, name), _value(layer, name)
    # Each change has napari measure the whole scene anew.
    if not (wanted == present if name == "units" else np.array_equal(wanted, present)):
        setattr(layer, name, wanted)


def _value(layer: Layer, name: str) -> Any:
    """A copy: napari would have two layers share one transform."""
    if name == "units":
        return layer.units
    return np.array(layer.affine.affine_matrix if name == "affine" else getattr(layer, name))


def _matrix(layer: Layer) -> NDArray[np.float64]:
    """From pixels to the world, homogeneous."""
    placed = Affine(scale=layer.scale, rotate=layer.rotate, shear=layer.shear, translate=layer.translate)
    return np.asarray(layer.affine.affine_matrix @ placed.affine_matrix)
