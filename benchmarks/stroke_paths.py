"""Paths of strokes along errors and edges, for `correction_strokes`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from skimage.graph import MCP, route_through_array
from skimage.measure import find_contours
from skimage.morphology import skeletonize

from napari_bonescint.corrections.tools.strokes import bounding_box

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Mask = NDArray[np.uint8]
    Points = NDArray[np.float64]

LONGEST = 500
"""Longest stroke, in pixels."""


def jittered(path: Points, rng: np.random.Generator) -> Points:
    """The points of a path, each coordinate moved by up to a pixel."""
    return path + rng.uniform(-1, 1, path.shape)


def click(point: Points, mask: Mask, rng: np.random.Generator) -> tuple[int, int]:
    """A click at a random position near a point."""
    y, x = np.clip(np.rint(point + rng.uniform(-1, 1, 2)), 0, np.array(mask.shape) - 1).astype(int).tolist()
    return y, x


def paint(mask: Mask, path: Points, size: int, code: int) -> Mask:
    """Paint a path as napari's `Labels` does: discs of the brush's size at distances of a quarter of the size."""
    steps = np.maximum(np.rint(np.abs(np.diff(path, axis=0)).max(axis=1) / size * 4).astype(int), 1)
    fraction = (np.arange(steps.sum()) - np.repeat(steps.cumsum() - steps, steps) + 1) / np.repeat(steps, steps)
    start, move = (np.repeat(part, steps, axis=0) for part in (path[:-1], np.diff(path, axis=0)))
    centres = np.concatenate([path[:1], start + fraction[:, None] * move])
    at = np.rint(centres).astype(int)
    # Each disc is painted once.
    origin, extent = at.min(axis=0), np.ptp(at, axis=0) + 1
    once = np.unique(np.ravel_multi_index(tuple((at - origin).T), extent))
    at = np.stack(np.unravel_index(once, extent), axis=1) + origin
    reach = np.arange(-(size // 2), size // 2 + 1)
    disc = np.argwhere(np.hypot(*np.meshgrid(reach, reach)) <= size // 2 + 0.5) - size // 2
    rows, columns = (at[:, None] + disc).reshape(-1, 2).T
    inside = (rows >= 0) & (rows < mask.shape[0]) & (columns >= 0) & (columns < mask.shape[1])
    painted = mask.copy()
    painted[rows[inside], columns[inside]] = code
    return painted


def contours(bone: NDArray[np.bool_]) -> list[Points]:
    """Closed edges of bone at steps of about a pixel, bone always on the same side of the direction."""
    found = find_contours(np.pad(bone, 1).astype(np.float32), 0.5)
    return sorted((even(contour - 1) for contour in found), key=len, reverse=True)


def even(path: Points) -> Points:
    """The path at steps of a pixel."""
    along = np.concatenate([[0.0], np.hypot(*np.diff(path, axis=0).T).cumsum()])
    steps = np.linspace(0, along[-1], max(round(along[-1]), 1) + 1)
    return np.stack([np.interp(steps, along, values) for values in path.T], axis=1)


def normals(path: Points) -> Points:
    """Unit vectors across a path, towards the side where `contours` has bone."""
    tangent = np.gradient(path, axis=0) if len(path) > 1 else np.zeros_like(path)
    tangent /= np.maximum(np.hypot(*tangent.T), 1e-9)[:, None]
    return np.stack([tangent[:, 1], -tangent[:, 0]], axis=1)


def medial_line(error: NDArray[np.bool_]) -> Points:
    """The longest path along the middle of a piece of error."""
    window = bounding_box(error)
    origin = np.array([part.start for part in window])
    bones = skeletonize(error[window])
    points = np.argwhere(bones)
    if len(points) < 3:
        return np.argwhere(error).mean(axis=0)[None]
    cost = np.where(bones, 1.0, 100.0)
    start = points[0]
    for _ in range(2):
        # The point farthest from any point, and the point farthest from that one, are the ends of the longest path.
        far = points[_steps_from(bones, start)[bones].argmax()]
        start, end = far, start
    route, _ = route_through_array(cost, start, end)
    return np.array(route[:LONGEST], np.float64) + origin


def _steps_from(bones: NDArray[np.bool_], start: NDArray[np.integer]) -> NDArray[np.float64]:
    """Distance of each pixel from a pixel along a line of pixels; -1 off the line."""
    steps, _ = MCP(np.where(bones, 1.0, np.inf)).find_costs([tuple(start)])
    return np.where(np.isfinite(steps), steps, -1)
