"""Positions of layers in world coordinates, also after the user has moved, scaled, turned or sheared them."""

from __future__ import annotations

import weakref
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.utils.transforms import Affine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.layers import Layer
    from numpy.typing import NDArray

# napari's names of the attributes and events that place a layer.
_ATTRIBUTES = ("units", "scale", "translate", "rotate", "shear", "affine")
_STRAIGHT = {"rotate": np.eye(2), "shear": np.zeros(1), "affine": np.eye(3)}
# Cosine of the angle between rows and columns: napari's own rounding is far below it.
_PERPENDICULAR = 1e-6


def place_of(layer: Layer) -> dict[str, Any]:
    """Arguments that place a new layer on an existing one."""
    return {**{name: _value(layer, name) for name in _ATTRIBUTES}, "axis_labels": layer.axis_labels}


def put_on(layer: Layer, other: Layer) -> None:
    """Place a layer on another one."""
    for name in _ATTRIBUTES:
        _take_over(layer, other, name)


def follow(layer: Layer, other: Layer) -> None:
    """Keep a layer on another one when the user moves, scales, turns, shears or transforms the other."""
    follower = weakref.ref(layer)

    def take_along(event: Any) -> None:
        following = follower()
        if following is not None:
            _take_over(following, event.source, event.type)

    for name in _ATTRIBUTES:
        getattr(other.events, name).connect(take_along)


def lies_on(layer: Layer, other: Layer) -> bool:
    """Whether each pixel of a layer lies on the same pixel of another layer."""
    return layer.data.shape == other.data.shape and np.allclose(_matrix(layer), _matrix(other))


def is_unplaced(layer: Layer) -> bool:
    """Whether a layer lies where napari puts pixels without a size: its first pixel at the origin, one unit wide."""
    return np.array_equal(_matrix(layer), np.eye(layer.ndim + 1))


def world(layer: Layer, points: Sequence[Sequence[float]] | NDArray[np.generic]) -> NDArray[np.float64]:
    """Convert pixels of a layer, shape (n, [y, x]), to world coordinates of the same shape."""
    matrix = _matrix(layer)
    return np.asarray(points, np.float64) @ matrix[:-1, :-1].T + matrix[:-1, -1]


def corners(layer: Layer) -> NDArray[np.float64]:
    """World coordinates of the four corners of an image, shape (4, [y, x])."""
    height, width = layer.data.shape
    return world(layer, [(0, 0), (0, width), (height, 0), (height, width)])


def pixel_sides(layer: Layer, unit: str | None = None) -> tuple[float, float] | None:
    """Height and width of the pixels of an image, in `unit` or by default in the layer's own units.

    Returns
    -------
    (float, float) or None
        None if the layer's units cannot be converted to `unit`, or if rows and columns are not perpendicular.
    """
    per_unit = [1.0 if unit is None else _converted(each, unit) for each in layer.units]
    if None in per_unit:
        return None
    placed = _matrix(layer)[:-1, :-1]
    y, x = (float(np.hypot(*column)) for column in (np.asarray(per_unit, np.float64)[:, np.newaxis] * placed).T)
    if min(y, x) == 0 or _is_oblique(placed):
        return None
    return y, x


@lru_cache(maxsize=32)
def _converted(unit: Any, to: str) -> float | None:
    """One unit of a layer in other units; None if it cannot be converted. pint takes a millisecond for it."""
    return float((1 * unit).to(to).magnitude) if unit.is_compatible_with(to) else None


def is_sheared(layer: Layer) -> bool:
    """Whether rows and columns of an image are not perpendicular, so that its pixels are no rectangles."""
    return _is_oblique(_matrix(layer)[:-1, :-1])


def _is_oblique(linear: NDArray[np.float64]) -> bool:
    down, along = linear.T
    return bool(abs(down @ along) > _PERPENDICULAR * np.hypot(*down) * np.hypot(*along))


def is_placed(layer: Layer) -> bool:
    """Whether a two-dimensional layer was moved, turned, sheared or transformed."""
    return bool(np.any(layer.translate)) or any(
        not np.array_equal(_value(layer, name), plain) for name, plain in _STRAIGHT.items()
    )


def straighten(layer: Layer) -> None:
    """Reset rotation, shear and affine of a two-dimensional layer."""
    for name, plain in _STRAIGHT.items():
        if not np.array_equal(_value(layer, name), plain):
            setattr(layer, name, plain.copy())


def _take_over(layer: Layer, other: Layer, name: str) -> None:
    wanted, present = _value(other, name), _value(layer, name)
    # napari measures the whole scene again after each change.
    if not (wanted == present if name == "units" else np.array_equal(wanted, present)):
        setattr(layer, name, wanted)


def _value(layer: Layer, name: str) -> Any:
    """A copy of an attribute; with the original, two layers would share one transform."""
    if name == "units":
        return layer.units
    return np.array(layer.affine.affine_matrix if name == "affine" else getattr(layer, name))


def _matrix(layer: Layer) -> NDArray[np.float64]:
    """Homogeneous matrix from pixels to world coordinates."""
    placed = Affine(scale=layer.scale, rotate=layer.rotate, shear=layer.shear, translate=layer.translate)
    return np.asarray(layer.affine.affine_matrix @ placed.affine_matrix)
