"""Correct a part of a bone's edge by tracing it with one stroke."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.ndimage import binary_dilation, distance_transform_edt, label, minimum_filter1d
from scipy.spatial import KDTree

from napari_bonescint.corrections.tools.strokes import bounding_box, steady, swept

if TYPE_CHECKING:
    from numpy.typing import NDArray

REACH = 12.0
"""Largest distance, in pixels, from which an edge is moved to the line."""

BESIDE = 4.0
"""Distance from the line, in pixels, up to which it is corrected in any case."""

SURE_REACH = 8.0
"""Distance, in pixels, up to which a gap between the line and bone is filled though it is open at its ends."""

_CLEARLY_MORE = 1.25
_TOUCHING = 1.5
_HALF_PIXEL = 0.5
_SHORT_GAP = 3
_CORNERS_TOO = np.ones((3, 3), np.bool_)


class Traced(NamedTuple):
    """A mask after tracing.

    Attributes
    ----------
    regions : ndarray of uint8, shape (y, x)
        The new mask.
    unreached : list of ndarray of shape (n, 2)
        The parts of the line, points (y, x), that are not joined to the bone behind them.
    """

    regions: NDArray[np.uint8]
    unreached: list[NDArray[np.float64]]


class _Band(NamedTuple):
    """The surroundings of a line, without those beyond its ends: signed distance, and nearest point of the line.

    The distance is nan, and the point -1, outside the band.
    """

    offset: NDArray[np.float64]
    nearest: NDArray[np.intp]


def trace_edge(regions: NDArray[np.uint8], path: NDArray[np.floating], code: int) -> Traced:
    """Move the edge of bone to a traced path.

    The side of the path with more bone is taken for bone, the other side for background. Both are corrected up to
    `BESIDE`, but only pixels connected to the path. Farther away, up to `REACH`, the gap between the path and the bone
    behind it is filled, and bone beyond the path is removed, if they do not go on past the ends of the path: the next
    rib stays. New bone gets the nearest region, or `code`, which is not 0, if there is no bone within reach. The tremor
    of the hand is removed. A path shorter than a pixel changes nothing.
    """
    edge = steady(path)
    edge = edge[np.concatenate([[True], np.any(np.diff(edge, axis=0) != 0, axis=1)])]
    near = swept(edge, REACH, (regions.shape[0], regions.shape[1]))
    if len(edge) < 2 or not near.any():
        return Traced(regions.copy(), [])
    # A pixel more on each side shows whether bone goes on out of reach.
    rows, columns = (slice(max(part.start - 1, 0), part.stop + 1) for part in bounding_box(near))
    window = (rows, columns)
    here = regions[window]
    bone = here > 0
    band = _band(near[window], edge - [part.start for part in window])
    if _lies_on_the_left(bone, band.offset):
        band = band._replace(offset=-band.offset)
    reached, missing = _gap(bone, band, len(edge))
    surplus = _near_or_closed(bone & (band.offset < 0), bone, band.offset)
    traced = regions.copy()
    traced[window][missing] = _nearest_names(here, code)[missing]
    traced[window][surplus] = 0
    seen = np.all((edge >= 0) & (edge <= np.subtract(regions.shape, 1)), axis=1)
    return Traced(traced, _runs(edge, ~reached & seen))


def _band(near: NDArray[np.bool_], edge: NDArray[np.float64]) -> _Band:
    points = np.argwhere(near)
    away, closest = KDTree(edge).query(points)
    tangent = np.gradient(edge, axis=0)[closest]
    gap = points - edge[closest]
    across = tangent[:, 0] * gap[:, 1] - tangent[:, 1] * gap[:, 0]
    along = (tangent * gap).sum(axis=1) / np.maximum(np.hypot(*tangent.T), 1e-9)
    beyond = ((closest == 0) & (along < -_HALF_PIXEL)) | ((closest == len(edge) - 1) & (along > _HALF_PIXEL))
    offset, nearest = np.full(near.shape, np.nan), np.full(near.shape, -1, np.intp)
    offset[near] = np.where(beyond, np.nan, np.copysign(away, across))
    nearest[near] = np.where(beyond, -1, closest)
    return _Band(offset, nearest)


def _lies_on_the_left(bone: NDArray[np.bool_], offset: NDArray[np.float64]) -> bool:
    """Whether there is more bone at negative offsets: close to the line, or within reach if that does not tell."""
    for reach in (BESIDE, REACH):
        left, right = (int(np.count_nonzero(bone & (sign * offset > 0) & (sign * offset <= reach))) for sign in (-1, 1))
        if max(left, right) > _CLEARLY_MORE * min(left, right):
            return left > right
    return left > right


def _gap(bone: NDArray[np.bool_], band: _Band, points: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """The points of the line at which the bone behind it is reached, and the background that becomes bone."""
    side = band.offset > 0
    first = np.full(points, np.inf)
    np.minimum.at(first, band.nearest[side & bone], band.offset[side & bone])
    # In a bend, some points of the line are nearest to no pixel.
    first = np.where(np.isfinite(first), first, minimum_filter1d(first, 2 * _SHORT_GAP + 1))
    behind = first[band.nearest]
    empty = side & ~bone
    filled = _near_or_closed(empty, ~bone, band.offset)
    between = empty & (band.offset < behind)
    filled |= _hanging_together(between & (behind <= SURE_REACH + _HALF_PIXEL), band.offset)
    reached = np.ones(points, np.bool_)
    reached[band.nearest[between & ~filled]] = False
    return reached, filled


def _near_or_closed(
    pixels: NDArray[np.bool_], alike: NDArray[np.bool_], offset: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """The pixels up to `BESIDE` from the line, and whole pieces that do not go on, as pixels alike, out of the band."""
    pieces, _ = label(_hanging_together(pixels, offset), _CORNERS_TOO)
    far = np.abs(offset) > BESIDE
    goes_on = binary_dilation(alike & np.isnan(offset), _CORNERS_TOO) & far & (pieces > 0)
    closed = (pieces > 0) & ~np.isin(pieces, np.unique(pieces[goes_on]))
    return np.asarray(closed | _hanging_together(pixels & ~far, offset))


def _hanging_together(pixels: NDArray[np.bool_], offset: NDArray[np.float64]) -> NDArray[np.bool_]:
    """The pixels that are connected to the path."""
    pieces, _ = label(pixels, _CORNERS_TOO)
    touching = np.unique(pieces[pixels & (np.abs(offset) <= _TOUCHING)])
    return np.isin(pieces, touching[touching > 0])


def _nearest_names(regions: NDArray[np.uint8], code: int) -> NDArray[np.uint8]:
    """The region nearest to each pixel, or `code` if there is no bone."""
    if not regions.any():
        return np.full(regions.shape, code, np.uint8)
    row, column = distance_transform_edt(regions == 0, return_distances=False, return_indices=True)
    return np.asarray(regions[row, column], np.uint8)


def _runs(edge: NDArray[np.float64], chosen: NDArray[np.bool_]) -> list[NDArray[np.float64]]:
    """The parts of a line whose points are chosen, without very short ones."""
    pieces, number = label(chosen)
    parts = [edge[pieces == part] for part in range(1, number + 1)]
    return [part for part in parts if len(part) > _SHORT_GAP]
