"""The patient's side, computed from the view and the midline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.ndimage import label

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_bonescint.corrections.tools.mirror import ImageSide
    from napari_bonescint.scan import View

PatientSide = Literal["left", "right"]

_CORNERS_TOO = np.ones((3, 3))
# A piece lies on both sides if their shares differ from a half by less.
_BOTH_SIDES = 0.25


def side_of(view: View, x: float, midline_x: float) -> PatientSide:
    """The patient's side of column `x`, if the midline is at `midline_x` in this row, see `tools.mirror.midline`."""
    return patient_side(view, "right" if x > midline_x else "left")


def patient_side(view: View, image_side: ImageSide) -> PatientSide:
    """The patient's side that a side of the image shows."""
    return "left" if (image_side == "right") == view.patient_left_on_image_right else "right"


def on_image_left(region: NDArray[np.bool_], middle: NDArray[np.float64]) -> NDArray[np.bool_]:
    """For each pixel of a region, in the order of `nonzero`, whether it is of the image's left side.

    A piece belongs to the side of most of its pixels, since a turned foot crosses the midline. A piece that lies on
    both sides, such as two feet that touch, is divided.

    Parameters
    ----------
    region : ndarray of bool, shape (y, x)
        The region.
    middle : ndarray of float64, shape (y,)
        Column of the midline in each row, see `tools.mirror.midline`.
    """
    y, x = np.nonzero(region)
    piece = label(region, _CORNERS_TOO)[0][y, x]
    is_left = x < middle[y]
    share = np.bincount(piece, weights=is_left) / np.maximum(np.bincount(piece), 1)
    return np.where(np.abs(share - 0.5)[piece] < _BOTH_SIDES, is_left, share[piece] > 0.5)
