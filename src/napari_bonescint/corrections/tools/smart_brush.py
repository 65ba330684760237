"""A brush that paints only where there is bone signal, and erases only where there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import gaussian_filter
from skimage.filters import threshold_otsu

from napari_bonescint.corrections.tools.strokes import bounding_box, swept

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Width of the surroundings of a stroke, in radii, for the threshold of bone.
_SURROUNDINGS = 2.0
_NOISE_PIXELS = 1.0


def smart_brush(
    regions: NDArray[np.uint8], counts: NDArray[np.generic], path: NDArray[np.floating], radius: float, code: int
) -> NDArray[np.uint8]:
    """Paint a region where the counts are those of bone; with code 0, erase where they are not.

    Bone is where the square root of the smoothed counts, whose noise is about the same everywhere, exceeds Otsu's
    threshold [1]_ within three radii of the stroke. `radius` is that of the brush in pixels.

    References
    ----------
    .. [1] N. Otsu, A threshold selection method from gray-level histograms, IEEE Trans. SMC 9 (1979) 62-66.
    """
    shape = (regions.shape[0], regions.shape[1])
    touched = swept(path, radius, shape)
    around = swept(path, radius * (1 + _SURROUNDINGS), shape)
    if not touched.any():
        return regions.copy()
    window = bounding_box(around)
    uptake = np.sqrt(gaussian_filter(counts[window].astype(np.float32), _NOISE_PIXELS))
    is_bone = uptake > threshold_otsu(uptake[around[window]])
    changed = touched[window] & (is_bone if code else ~is_bone)
    painted = regions.copy()
    painted[window][changed] = code
    return painted
