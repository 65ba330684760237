"""Ask the model again inside a box, with another idea of how sure it must be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import distance_transform_edt

if TYPE_CHECKING:
    from numpy.typing import NDArray

Box = tuple[int, int, int, int]
"""First row, first column, and the row and column after the last."""

_MARGIN = 40


def ask_again(
    regions: NDArray[np.uint8],
    probability: NDArray[np.float32],
    model_regions: NDArray[np.uint8],
    box: Box,
    threshold: float,
) -> NDArray[np.uint8]:
    """Make the mask in a box what the model says, bone being what it thinks at least so probable.

    Which bone it is, the model said; where it saw background, it is the nearest bone of the model up to 40 pixels from
    the box, and there stays background if there is none.

    Parameters
    ----------
    regions : ndarray of uint8, shape (y, x)
        The present mask; it is not changed.
    probability : ndarray of float32, shape (y, x)
        Of bone, 0 to 1.
    model_regions : ndarray of uint8, shape (y, x)
        The model's mask.
    box : (y0, x0, y1, x1)
        Rows y0 to y1 - 1 and columns x0 to x1 - 1; may reach beyond the image.
    threshold : float
        From which probability on a pixel is bone.
    """
    y0, x0, y1, x1 = (max(edge, 0) for edge in box)
    top, left = max(y0 - _MARGIN, 0), max(x0 - _MARGIN, 0)
    known = model_regions[top : y1 + _MARGIN, left : x1 + _MARGIN]
    answered = regions.copy()
    if not known.any():
        answered[y0:y1, x0:x1] = 0
        return answered
    row, column = distance_transform_edt(known == 0, return_distances=False, return_indices=True)
    inside = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
    nearest = known[row[inside], column[inside]]
    answered[y0:y1, x0:x1] = np.where(probability[y0:y1, x0:x1] >= threshold, nearest, 0)
    return answered
