"""Geometry of strokes: a smoothed path, the pixels below a brush, and the pixels inside an outline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import gaussian_filter1d
from skimage.draw import line

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TREMOR = 2.0
"""Standard deviation of the smoothing that removes the tremor of the hand, in pixels along the path."""


def steady(path: NDArray[np.floating], *, closed: bool = False) -> NDArray[np.float64]:
    """A path in steps of about one pixel, shape (m, 2), without the tremor of the hand.

    The last point of a closed path is joined to the first. An open path keeps its first and last point.
    """
    points = np.asarray(path, np.float64)
    ring = np.vstack([points, points[:1]]) if closed else points
    along = np.concatenate([[0.0], np.hypot(*np.diff(ring, axis=0).T).cumsum()])
    if along[-1] < 2:
        return points
    steps = np.linspace(0, along[-1], round(along[-1]) + 1)
    even = np.stack([np.interp(steps, along, values) for values in ring.T], axis=1)
    if closed:
        return np.asarray(gaussian_filter1d(even[:-1], _TREMOR, axis=0, mode="wrap"))
    # Extending the path by point reflection at both ends keeps the ends in place.
    reach = min(len(even) - 1, round(4 * _TREMOR))
    before = 2 * even[0] - even[reach:0:-1]
    after = 2 * even[-1] - even[-2 : -reach - 2 : -1]
    smooth = gaussian_filter1d(np.vstack([before, even, after]), _TREMOR, axis=0, mode="nearest")
    return np.asarray(smooth[reach : reach + len(even)])


def swept(path: NDArray[np.floating], radius: float, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Pixels of an image of some shape below a round brush that moves along a path.

    The path may lie outside the image. With a radius of 0 pixels, only the pixels on the path are covered.
    """
    covered = np.zeros(shape, np.bool_)
    points = np.rint(path).astype(np.intp)
    origin = points.min(axis=0)
    local = points - origin
    on_path = np.zeros(local.max(axis=0) + 1, np.bool_)
    for (y0, x0), (y1, x1) in zip(local[: max(len(local) - 1, 1)], local[min(1, len(local) - 1) :], strict=True):
        on_path[line(y0, x0, y1, x1)] = True
    reach = int(radius)
    offset = np.arange(-reach, reach + 1)
    disc = np.sqrt(offset[:, np.newaxis] ** 2 + offset**2) <= radius
    # Each pixel of the path covers a stretch of each row of the disc around it; a stretch begins and ends at a turn.
    half = (np.count_nonzero(disc, axis=1) - 1) // 2
    low = np.clip(origin - reach, 0, shape)
    high = np.clip(origin + on_path.shape + reach, 0, shape)
    height, width = (high - low).tolist()
    y, x = (np.argwhere(on_path) + origin - low).T[..., np.newaxis]
    row = y + offset
    seen = (row >= 0) & (row < height)
    begin, end = (np.clip(edge, 0, width)[seen] for edge in (x - half, x + half + 1))
    first, size = row[seen] * (width + 1), height * (width + 1)
    turns = np.bincount(first + begin, minlength=size) - np.bincount(first + end, minlength=size)
    inside = turns.reshape(height, width + 1).cumsum(axis=1)[:, :-1] > 0
    covered[low[0] : high[0], low[1] : high[1]] = inside
    return covered


def enclosed(outline: NDArray[np.floating], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Pixels of an image of some shape inside an outline, points (y, x); the last point is joined to the first."""
    start = np.asarray(outline, np.float64)
    end = np.roll(start, -1, axis=0)
    first, last = (np.ceil(pick(start[:, 0], end[:, 0])).astype(np.intp) for pick in (np.minimum, np.maximum))
    # Rows that each side of the outline crosses; at each crossing, inside and outside change.
    side = np.repeat(np.arange(len(start)), last - first)
    row = np.arange(side.size) - np.repeat((last - first).cumsum() - last, last - first)
    part = (row - start[side, 0]) / (end[side, 0] - start[side, 0])
    column = np.ceil(start[side, 1] + part * (end[side, 1] - start[side, 1])).astype(np.intp)
    seen = (row >= 0) & (row < shape[0])
    turns = np.zeros((shape[0], shape[1] + 1), np.intp)
    np.add.at(turns, (row[seen], np.clip(column[seen], 0, shape[1])), 1)
    return np.asarray(turns.cumsum(axis=1)[:, :-1] % 2 == 1)


def bounding_box(mask: NDArray[np.bool_]) -> tuple[slice, slice]:
    """Rows and columns of the true pixels; both slices are empty if there are none."""
    if not mask.any():
        return slice(0, 0), slice(0, 0)
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
