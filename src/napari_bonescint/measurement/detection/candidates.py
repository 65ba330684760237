"""Hot spots from probabilities of pixels, and probabilities from thresholds, which need no network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage
from scipy.special import expit, logit

from napari_bonescint.inference.preprocessing import ASSUMED_SPACING_MM
from napari_bonescint.measurement.detection.region_normal import region_normals
from napari_bonescint.measurement.measures import UptakeClasses

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_bonescint.scan import Scan, Spacing

HOT = 0.2
"""A pixel of bone is hot if its probabilities of a lesion and of benign focal uptake sum to this number.

Chosen on held-out simulated cases: small and faint lesions are never surer.
"""

_LEAST_MM2 = 80.0
_NEIGHBOURS = np.ones((3, 3), bool)
_BLUR_MM = 4.0
_RING_MM = 60.0
_RATIO, _STEEPNESS = 1.6, 4.0
_DEVIATIONS = 4.0


def find_hot_spots(scan: Scan, regions: NDArray[np.uint8], classes: UptakeClasses) -> NDArray[np.uint16]:
    """Number connected hot pixels of bone, view by view.

    Parameters
    ----------
    scan : Scan
    regions : ndarray of uint8, shape (view, y, x)
        Region codes.
    classes : UptakeClasses
        Probabilities of each pixel.

    Returns
    -------
    ndarray of uint16, shape (view, y, x)
        Hot spots, numbered within a view from 1, from top to bottom; pieces under 80 mm2 are left out.
    """
    spacing = _spacing(scan)
    hot = (classes.lesion + classes.benign >= HOT) & (regions > 0)
    return np.stack([_number(view, spacing) for view in hot])


def threshold_classes(scan: Scan, regions: NDArray[np.uint8]) -> UptakeClasses:
    """Probabilities without a network: counts above the normal of their region and above the bone around them.

    Parameters
    ----------
    scan : Scan
    regions : ndarray of uint8, shape (view, y, x)
        Region codes.

    Returns
    -------
    UptakeClasses
        `lesion` is `HOT` where smoothed counts are 1.6 times the larger of the region's normal and the mean of bone
        within 60 mm, if that is more than noise; `benign` is 0.
    """
    spacing = _spacing(scan)
    lesion = np.stack(
        [_exceed(counts, codes, spacing) for counts, codes in zip(scan.counts.astype(np.float32), regions, strict=True)]
    )
    return UptakeClasses(lesion, np.zeros_like(lesion), "thresholds")


def _spacing(scan: Scan) -> Spacing:
    return scan.spacing or (ASSUMED_SPACING_MM, ASSUMED_SPACING_MM)


def _number(hot: NDArray[np.bool_], spacing: Spacing) -> NDArray[np.uint16]:
    pieces, number = ndimage.label(hot, _NEIGHBOURS)
    large = np.bincount(pieces.ravel(), minlength=number + 1) * (spacing[0] * spacing[1]) >= _LEAST_MM2
    large[0] = False
    renumbered = np.where(large, np.cumsum(large), 0)
    numbered: NDArray[np.uint16] = renumbered[pieces].astype(np.uint16)
    return numbered


def _exceed(counts: NDArray[np.float32], regions: NDArray[np.uint8], spacing: Spacing) -> NDArray[np.float32]:
    """Probability (y, x) that counts exceed those of their region and of the bone around them."""
    bone = regions > 0
    blur = [_BLUR_MM / mm for mm in spacing]
    smooth = ndimage.gaussian_filter(counts, blur)
    normal = region_normals(smooth, regions)[regions]
    ring = [round(_RING_MM / mm) for mm in spacing]
    weight = ndimage.uniform_filter(bone.astype(np.float32), ring)
    around = ndimage.uniform_filter(np.where(bone, smooth, 0), ring) / np.maximum(weight, 1e-6)
    usual = np.maximum(np.maximum(normal, around), 1e-6)
    # A Gaussian filter averages the noise of 4 pi sigma^2 pixels.
    noise = np.sqrt(usual / (4 * np.pi * blur[0] * blur[1]))
    probability = expit(logit(HOT) + _STEEPNESS * np.log2(np.maximum(smooth / usual, 1e-6) / _RATIO))
    lesion: NDArray[np.float32] = np.where(bone & (smooth - usual > _DEVIATIONS * noise), probability, 0)
    return lesion.astype(np.float32)
