"""Correct a part of a bone's edge by tracing it with one stroke."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import distance_transform_edt, label
from scipy.spatial import KDTree

from napari_bonescint.corrections.tools.strokes import bounding_box, steady, swept

if TYPE_CHECKING:
    from numpy.typing import NDArray

REACH = 4.0
"""Largest distance from the path, in pixels, at which the mask is corrected."""

_TOUCHING = 1.5
_CORNERS_TOO = np.ones((3, 3), np.bool_)


def trace_edge(regions: NDArray[np.uint8], path: NDArray[np.floating], code: int) -> NDArray[np.uint8]:
    """Move the edge of bone to a traced path.

    The side of the path with more bone is taken for bone, the other side for background. Both are corrected up to
    `REACH`, but only pixels connected to the path: the next rib stays. New bone gets the nearest region, or `code`,
    which is not 0, if there is no bone within reach. The tremor of the hand is removed. A path shorter than a pixel
    changes nothing.
    """
    edge = steady(path)
    edge = edge[np.concatenate([[True], np.any(np.diff(edge, axis=0) != 0, axis=1)])]
    near = swept(edge, REACH, (regions.shape[0], regions.shape[1]))
    if len(edge) < 2 or not near.any():
        return regions.copy()
    window = bounding_box(near)
    here = regions[window]
    offset = _offsets(near[window], edge - [part.start for part in window])
    bone = here > 0
    if np.count_nonzero(bone[offset < 0]) > np.count_nonzero(bone[offset > 0]):
        offset = -offset
    missing = _hanging_together((offset > 0) & ~bone, offset)
    surplus = _hanging_together((offset < 0) & bone, offset)
    traced = regions.copy()
    traced[window][missing] = _nearest_names(here, code)[missing]
    traced[window][surplus] = 0
    return traced


def _offsets(near: NDArray[np.bool_], edge: NDArray[np.float64]) -> NDArray[np.float64]:
    """Signed distance of each pixel from the edge; nan beyond its ends and far from it."""
    points = np.argwhere(near)
    away, closest = KDTree(edge).query(points)
    tangent = np.gradient(edge, axis=0)[closest]
    gap = points - edge[closest]
    across = tangent[:, 0] * gap[:, 1] - tangent[:, 1] * gap[:, 0]
    along = (tangent * gap).sum(axis=1)
    beyond = ((closest == 0) & (along < 0)) | ((closest == len(edge) - 1) & (along > 0))
    offset = np.full(near.shape, np.nan)
    offset[near] = np.where(beyond, np.nan, np.copysign(away, across))
    return offset


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
