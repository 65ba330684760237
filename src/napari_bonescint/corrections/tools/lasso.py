"""Say which bone it is that lies within a lasso."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.corrections.tools.strokes import enclosed

if TYPE_CHECKING:
    from numpy.typing import NDArray


def relabel_within(regions: NDArray[np.uint8], polygon: NDArray[np.floating], code: int) -> NDArray[np.uint8]:
    """Give the bone within a polygon another code, or erase it; background stays background.

    Parameters
    ----------
    regions : ndarray of uint8, shape (y, x)
        The present mask; it is not changed.
    polygon : ndarray of shape (n, 2)
        Corners (y, x); the last is joined to the first.
    code : int
        What the bone becomes; 0 erases it.
    """
    inside = enclosed(polygon, (regions.shape[0], regions.shape[1]))
    return np.where(inside & (regions != 0), np.uint8(code), regions)
