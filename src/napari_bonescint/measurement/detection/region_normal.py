"""The normal counts of each region, before any hot spot is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.anatomy import REGIONS

if TYPE_CHECKING:
    from numpy.typing import NDArray

_HOT = 1.5


def region_normals(counts: NDArray[np.floating], regions: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Median counts of each region in one view, without pixels above 1.5 times the median of all its pixels.

    Parameters
    ----------
    counts : ndarray of shape (y, x)
    regions : ndarray of uint8, shape (y, x)
        Region codes.

    Returns
    -------
    ndarray of float32, shape (regions,)
        By region code; 0 for background and for regions that are not in the view.
    """
    normals = np.zeros(len(REGIONS), np.float32)
    bone = regions > 0
    codes, values = regions[bone], counts[bone]
    for code in np.unique(codes):
        own = values[codes == code]
        usual = np.median(own)
        normals[code] = np.median(own[own <= _HOT * usual])
    return normals
