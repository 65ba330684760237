"""Draw the outline of a piece of bone with one stroke; it replaces the piece."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import label

from napari_bonescint.corrections.tools.strokes import enclosed, steady

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LEAST_SHARE = 0.5


def draw_outline(regions: NDArray[np.uint8], path: NDArray[np.floating], code: int) -> NDArray[np.uint8]:
    """Make the inside of an outline one bone, in place of the pieces of that bone that lie mostly inside.

    Parameters
    ----------
    regions : ndarray of uint8, shape (y, x)
        The present mask; it is not changed.
    path : ndarray of shape (n, 2)
        Points (y, x) once around; the last is joined to the first and the tremor of the hand taken out.
    code : int
        Which bone; 0 erases what is inside.
    """
    inside = enclosed(steady(path, closed=True), (regions.shape[0], regions.shape[1]))
    drawn = regions.copy()
    if code:
        # A piece of bone that is mostly outside was not meant, and stays.
        pieces, _ = label(regions == code, np.ones((3, 3)))
        size = np.bincount(pieces.ravel())
        replaced = np.bincount(pieces[inside], minlength=size.size) > _LEAST_SHARE * size
        replaced[0] = False
        drawn[replaced[pieces]] = 0
    drawn[inside] = code
    return drawn
