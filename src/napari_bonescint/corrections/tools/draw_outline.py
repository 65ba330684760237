"""Replace a piece of bone by drawing its outline with one stroke."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import label

from napari_bonescint.corrections.tools.strokes import enclosed, steady

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LEAST_SHARE = 0.5


def draw_outline(regions: NDArray[np.uint8], path: NDArray[np.floating], code: int) -> NDArray[np.uint8]:
    """Fill an outline with one region, and remove pieces of that region that lie mostly inside.

    The last point of the path is joined to the first, and the tremor of the hand is removed. Code 0 erases the inside.
    """
    inside = enclosed(steady(path, closed=True), (regions.shape[0], regions.shape[1]))
    drawn = regions.copy()
    if code:
        # Pieces that lie mostly outside stay.
        pieces, _ = label(regions == code, np.ones((3, 3)))
        size = np.bincount(pieces.ravel())
        replaced = np.bincount(pieces[inside], minlength=size.size) > _LEAST_SHARE * size
        replaced[0] = False
        drawn[replaced[pieces]] = 0
    drawn[inside] = code
    return drawn
