"""Trace a stretch of the skeleton's edge with one stroke: bone on one side of it, background on the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import distance_transform_edt, label
from scipy.spatial import KDTree

from napari_bonescint.corrections.tools.strokes import bounding_box, steady, swept

if TYPE_CHECKING:
    from numpy.typing import NDArray

REACH = 4.0
"""How far from the path the mask is corrected, in pixels."""

_TOUCHING = 1.5
_CORNERS_TOO = np.ones((3, 3), np.bool_)


def trace_edge(regions: NDArray[np.uint8], path: NDArray[np.floating], code: int) -> NDArray[np.uint8]:
    """Move the edge of bone to where it was traced.

    Within reach of the path, background on the side of the bone becomes bone, and bone on the other side becomes
    background, each only as far as it hangs together with the path: the next rib stays. The side of the bone is the
    one where the mask shows more of it. New bone takes the name of the bone next to it.

    Parameters
    ----------
    regions : ndarray of uint8, shape (y, x)
        The present mask; it is not changed.
    path : ndarray of shape (n, 2)
        Points (y, x) along the edge; the tremor of the hand is taken out. A path shorter than a pixel does nothing.
    code : int
        The bone where the mask shows none within reach, not 0.
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
    """How far to the one side of the edge a pixel lies, negative on the other; nan beyond its ends or not near."""
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
    """Those pixels that are connected to the path through others."""
    pieces, _ = label(pixels, _CORNERS_TOO)
    touching = np.unique(pieces[pixels & (np.abs(offset) <= _TOUCHING)])
    return np.isin(pieces, touching[touching > 0])


def _nearest_names(regions: NDArray[np.uint8], code: int) -> NDArray[np.uint8]:
    """The code of the bone that is nearest to each pixel, or the given one if there is no bone."""
    if not regions.any():
        return np.full(regions.shape, code, np.uint8)
    row, column = distance_transform_edt(regions == 0, return_distances=False, return_indices=True)
    return np.asarray(regions[row, column], np.uint8)
