"""Difference of a mask from the model's, the model's uncertainty, and the same place in the opposite view."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np
from scipy.special import entr

if TYPE_CHECKING:
    from numpy.typing import NDArray

_Float = TypeVar("_Float", np.float32, np.float64)

ADDED, REMOVED, RELABELLED = 1, 2, 3


def difference(regions: NDArray[np.uint8], model_regions: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Map of the differences of a mask from the model's; both are region codes, uint8 of one shape.

    Returns
    -------
    ndarray of uint8
        `ADDED` where only the mask has bone, `REMOVED` where only the model has bone, `RELABELLED` where both have bone
        of different regions; 0 elsewhere.
    """
    kinds = np.zeros(regions.shape, np.uint8)
    differs = regions != model_regions
    kinds[differs] = RELABELLED
    kinds[differs & (model_regions == 0)] = ADDED
    kinds[differs & (regions == 0)] = REMOVED
    return kinds


def uncertainty(probability: NDArray[_Float]) -> NDArray[_Float]:
    """Binary entropy of each pixel in bits: 0 at probability 0 or 1, and 1 at probability 0.5."""
    bits: NDArray[_Float] = (entr(probability) + entr(1 - probability)) / probability.dtype.type(np.log(2))
    return bits


def opposite_column(column: float, width: int) -> float:
    """The column of the opposite view that shows the same place of the body.

    The two heads of a camera face each other, so their images are mirrored about the middle of the field of view.
    """
    return width - 1 - column
