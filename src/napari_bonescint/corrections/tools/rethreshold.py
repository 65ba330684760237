"""Apply another threshold to the model's probability inside a box."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import distance_transform_edt

if TYPE_CHECKING:
    from numpy.typing import NDArray

Box = tuple[int, int, int, int]
"""First row, first column, last row + 1, last column + 1."""

_MARGIN = 40


def rethreshold(
    regions: NDArray[np.uint8],
    probability: NDArray[np.float32],
    model_regions: NDArray[np.uint8],
    box: Box,
    threshold: float,
) -> NDArray[np.uint8]:
    """Replace the mask in a box, which may reach beyond the image: bone is where the probability reaches a threshold.

    Each pixel gets the nearest region of the model's mask, up to 40 pixels outside the box. Without such a region, the
    box becomes background.
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
