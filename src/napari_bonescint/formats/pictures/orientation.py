"""Turn and mirror images by the tag Orientation of TIFF 6.0 and EXIF."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

TAG = 274
"""Number of the tag Orientation, in TIFF and in EXIF."""

UPRIGHT = 1
# By orientation: whether the axes are exchanged, whether rows are reversed, and whether columns are reversed.
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
    """Pixels (y, x) or (y, x, channel) in their upright orientation; values outside 1 to 8 count as upright."""
    if orientation not in _STEPS:
        return pixels
    transposed, rows, columns = _STEPS[orientation]
    pixels = np.swapaxes(pixels, 0, 1) if transposed else pixels
    return pixels[:: -1 if rows else 1, :: -1 if columns else 1]


def exchanges_axes(orientation: int) -> bool:
    """True if the stored rows are the columns of the upright image."""
    return orientation in _STEPS and _STEPS[orientation][0]


def is_upright(orientation: int) -> bool:
    """True if an image with this orientation is stored upright; so is one with a value outside 1 to 8."""
    return orientation not in _STEPS


def orientation_warnings(orientation: int) -> list[str]:
    """A warning about an image that is stored turned or mirrored; none for an upright one."""
    if orientation not in _STEPS:
        return []
    transposed, rows, columns = _STEPS[orientation]
    how = "turned" if transposed or (rows and columns) else "mirrored"
    return [f"The image is stored {how} (orientation {orientation}); it was read upright."]
