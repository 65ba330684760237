"""Rename the bone inside a lasso."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.corrections.tools.strokes import enclosed

if TYPE_CHECKING:
    from numpy.typing import NDArray


def relabel_within(regions: NDArray[np.uint8], polygon: NDArray[np.floating], code: int) -> NDArray[np.uint8]:
    """Give the bone inside a polygon another code, or erase it with code 0; background stays background.

    `polygon` has the corners (y, x), shape (n, 2); the last is joined to the first.
    """
    inside = enclosed(polygon, (regions.shape[0], regions.shape[1]))
    return np.where(inside & (regions != 0), np.uint8(code), regions)
