"""Rows and columns that a file stores turned or mirrored, as the tag Orientation of TIFF 6.0 and EXIF says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

TAG = 274
"""The number of Orientation, in TIFF and in EXIF."""

UPRIGHT = 1
# By orientation: whether rows and columns change places, then whether rows, then whether columns are reversed.
_STEPS = {
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}


def turned(pixels: NDArray[np.generic], orientation: int) -> NDArray[np.generic]:
    """Pixels (y, x) or (y, x, channel) as they are meant to be seen; an orientation outside 1 to 8 says nothing."""
    if orientation not in _STEPS:
        return pixels
    transposed, rows, columns = _STEPS[orientation]
    pixels = np.swapaxes(pixels, 0, 1) if transposed else pixels
    return pixels[:: -1 if rows else 1, :: -1 if columns else 1]


def exchanges_axes(orientation: int) -> bool:
    """Whether what is stored as rows is seen as columns."""
    return orientation in _STEPS and _STEPS[orientation][0]


def is_upright(orientation: int) -> bool:
    """Whether an image that is stored so needs no turning; a number outside 1 to 8 says nothing."""
    return orientation not in _STEPS


def sentence_on(orientation: int) -> str | None:
    """What to tell the user about an image that is stored turned or mirrored; None if it is not."""
    if orientation not in _STEPS:
        return None
    transposed, rows, columns = _STEPS[orientation]
    how = "turned" if transposed or (rows and columns) else "mirrored"
    return f"The file says that its image is stored {how} (orientation {orientation}); it was read as it is to be seen."
