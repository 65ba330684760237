"""Trace a stretch of a bone's edge with one stroke: bone within, background beyond."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.corrections.tools.strokes import steady, swept

if TYPE_CHECKING:
    from numpy.typing import NDArray


def trace_edge(
    regions: NDArray[np.uint8], path: NDArray[np.floating], code: int, reach: float = 4
) -> NDArray[np.uint8]:
    """Move the edge of a bone to where it was traced.

    Within reach of the path, what lies on the side of the bone becomes bone, and what of this bone lies on the other
    side becomes background. The bone's side is the one where the mask shows more of it.

    Parameters
    ----------
    regions : ndarray of uint8, shape (y, x)
        The present mask; it is not changed.
    path : ndarray of shape (n, 2)
        Points (y, x) along the edge, at least two; the tremor of the hand is taken out.
    code : int
        Which bone, not 0.
    reach : float
        How far from the path the mask is corrected, in pixels.
    """
    edge = steady(path)
    steps = np.diff(edge, axis=0)
    keep = np.concatenate([[True], np.any(steps != 0, axis=1)])
    edge = edge[keep]
    traced = regions.copy()
    if len(edge) < 2:
        return traced
    near = np.argwhere(swept(edge, reach, (regions.shape[0], regions.shape[1])))
    gap = near[:, None, :] - edge[None, :, :]
    closest = (gap**2).sum(axis=2).argmin(axis=1)
    tangent = np.gradient(edge, axis=0)
    offset = gap[np.arange(len(near)), closest]
    side = tangent[closest, 0] * offset[:, 1] - tangent[closest, 1] * offset[:, 0]
    # Beyond the ends of the path, nothing was traced.
    along = (tangent[closest] * offset).sum(axis=1)
    beyond = ((closest == 0) & (along < 0)) | ((closest == len(edge) - 1) & (along > 0))
    near, side = near[~beyond], side[~beyond]
    rows, columns = near.T
    is_code = regions[rows, columns] == code
    if is_code[side < 0].sum() > is_code[side > 0].sum():
        side = -side
    inner, outer = side >= 0, (side < 0) & is_code
    fill = inner & (regions[rows, columns] == 0)
    traced[rows[fill], columns[fill]] = code
    traced[rows[outer], columns[outer]] = 0
    return traced
