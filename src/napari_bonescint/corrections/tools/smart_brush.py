"""A brush that paints only where there is bone signal, and erases only where there is none."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import gaussian_filter
from skimage.filters import threshold_otsu
from skimage.measure import label

from napari_bonescint.corrections.tools.strokes import bounding_box, swept

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Widths of the surroundings of a stroke, in radii, for the threshold of bone: wider ones if all is alike in the first.
_SURROUNDINGS = (2.0, 5.0, 11.0)
_LEAST_SPREAD = 1e-3
"""Roots of counts that differ by less are alike."""
_NOISE_PIXELS = 1.0
# Of the standard deviation of white noise, this part is left after smoothing.
_LEFT_OF_NOISE = 1 / (2 * np.sqrt(np.pi) * _NOISE_PIXELS)
# In standard deviations of the noise; two halves of mere noise differ by 1.6.
_DISTINCT = 6.0
_FEWEST_PIXELS = 12
_LEAST_OF_DISC = 0.4

# The least uptake of bone: counts relative to those of the brightest parts of the view, and the square root of counts
# relative to that of the faintest labelled bone.
_OF_BRIGHTEST, _BRIGHTEST = 0.1, 0.95
_OF_FAINTEST, _FAINTEST = 0.9, 0.05
_FEWEST_LABELLED = 500
_EMPTY = 0.05


class SmartBrush:
    """The brush over one view; what depends on the counts alone is computed once, so that it follows the mouse.

    Bone is where the square root of the smoothed counts, whose noise is about the same everywhere, exceeds Otsu's
    threshold [1]_ within three radii of the stroke. If the pixels above and below the threshold differ little more than
    noise does, wider surroundings are taken. Bone has at least a tenth of the counts of the view's brightest parts, and
    about those of the faintest bone in the mask; otherwise soft tissue beside air would be taken for it. Pieces of less
    than 0.4 of the brush, or of 12 pixels, count as noise: the brush neither paints nor leaves them.

    Parameters
    ----------
    counts : ndarray of shape (y, x)
        The view, which must not change later.

    References
    ----------
    .. [1] N. Otsu, A threshold selection method from gray-level histograms, IEEE Trans. SMC 9 (1979) 62-66.
    """

    def __init__(self, counts: NDArray[np.generic]) -> None:
        self._counts = counts

    def paint(
        self, regions: NDArray[np.uint8], path: NDArray[np.floating], radius: float, code: int
    ) -> NDArray[np.uint8]:
        """Paint a region where the counts are those of bone; with code 0, erase where they are not.

        `regions` is the mask before the stroke, `path` the whole stroke so far, and `radius` that of the brush in
        pixels.
        """
        shape = (regions.shape[0], regions.shape[1])
        touched = swept(path, radius, shape)
        if not touched.any():
            return regions.copy()
        least = self._least_uptake((regions > 0) & ~touched)
        window, is_bone = _bone_around(self._counts, path, radius, least)
        fewest = min(_FEWEST_PIXELS, round(_LEAST_OF_DISC * np.pi * radius**2))
        is_bone = _large(is_bone, fewest)
        is_bone = ~_large(~is_bone, fewest)
        painted = regions.copy()
        here, under = painted[window], touched[window]
        if code:
            new = under & is_bone
            here[new & _large(new | (here == code), fewest)] = code
        else:
            here[under & ~is_bone] = 0
            here[under & ~_large(here > 0, fewest)] = 0
        return painted

    @cached_property
    def _smooth(self) -> NDArray[np.float32]:
        return np.asarray(gaussian_filter(self._counts.astype(np.float32), _NOISE_PIXELS))

    @cached_property
    def _least_counts(self) -> float:
        """The least smoothed counts of bone, given the brightest parts of the view."""
        filled = self._smooth[self._smooth > _EMPTY]
        return _OF_BRIGHTEST * float(np.quantile(filled, _BRIGHTEST)) if filled.size else 0.0

    def _least_uptake(self, bone: NDArray[np.bool_]) -> float:
        """The least square root of smoothed counts that bone of the view can have, given bone labelled already."""
        least = self._least_counts
        labelled = self._smooth[bone]
        if labelled.size >= _FEWEST_LABELLED:
            least = max(least, _OF_FAINTEST**2 * float(np.quantile(labelled, _FAINTEST)))
        return float(np.sqrt(least))


def smart_brush(
    regions: NDArray[np.uint8], counts: NDArray[np.generic], path: NDArray[np.floating], radius: float, code: int
) -> NDArray[np.uint8]:
    """Paint or erase along a whole stroke at once, see `SmartBrush.paint`."""
    return SmartBrush(counts).paint(regions, path, radius, code)


def _threshold(uptake: NDArray[np.floating]) -> float:
    """Otsu's threshold; the highest uptake where all is alike, so that nothing is above it."""
    return float(threshold_otsu(uptake) if np.ptp(uptake) > _LEAST_SPREAD else uptake.max())


def _bone_around(
    counts: NDArray[np.generic], path: NDArray[np.floating], radius: float, least: float
) -> tuple[tuple[slice, slice], NDArray[np.bool_]]:
    """The surroundings of a stroke, and the pixels in them whose counts are those of bone."""
    shape = (counts.shape[0], counts.shape[1])
    for width in _SURROUNDINGS:
        around = swept(path, radius * (1 + width), shape)
        window = bounding_box(around)
        nearby = counts[window].astype(np.float32)
        uptake = np.sqrt(gaussian_filter(nearby, _NOISE_PIXELS))
        inside = around[window]
        is_bone = uptake > max(_threshold(uptake[inside]), least)
        bone, other = inside & is_bone, inside & ~is_bone
        if bone.any() and other.any():
            contrast = float(uptake[bone].mean() - uptake[other].mean())
            if contrast > _DISTINCT * _LEFT_OF_NOISE * _noise(np.sqrt(nearby), other):
                return window, is_bone
    return window, np.zeros(is_bone.shape, np.bool_)


def _noise(uptake: NDArray[np.float32], where: NDArray[np.bool_]) -> float:
    """Standard deviation of the noise of an image, from differences between neighbours."""
    difference = np.diff(uptake, axis=1)[where[:, 1:] & where[:, :-1]]
    return float(np.sqrt(np.mean(difference**2) / 2)) if difference.size else 0.0


def _large(mask: NDArray[np.bool_], fewest: int) -> NDArray[np.bool_]:
    """The pieces of a mask with at least some pixels."""
    pieces = label(mask, connectivity=2)
    large = np.bincount(pieces.ravel()) >= fewest
    large[0] = False
    return np.asarray(large[pieces])
