"""Counts of the whole body without the bladder and the injection site."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import gaussian_filter, label

from napari_bonescint.inference.preprocessing import ASSUMED_SPACING_MM

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_bonescint.measurement.bones import Bones
    from napari_bonescint.scan import Scan

# Urine and extravasated tracer are brighter than any healthy bone.
_HOT = 3.0
_BLUR_MM = 4.0
_LEAST_MM2 = 100.0
_LEAST_OUTSIDE = 0.5
_CORNERS_TOO = np.ones((3, 3))


def find_excreted(scan: Scan, bones: Bones) -> NDArray[np.bool_]:
    """Find the bladder, the injection site and other tracer that was excreted or missed the vein; (view, y, x).

    A connected place belongs to them if its smoothed counts exceed 3 times the median of bone, and at least half of it
    lies outside bone. The bladder in front of bone, and the part of the injection site over an arm, are thus found with
    the rest of the place.
    """
    spacing = scan.spacing or (ASSUMED_SPACING_MM, ASSUMED_SPACING_MM)
    excreted = np.zeros(scan.counts.shape, bool)
    is_bone = np.zeros(scan.counts.size, bool)
    is_bone[bones.at] = True
    for index, (counts, bone) in enumerate(zip(scan.counts, is_bone.reshape(scan.counts.shape), strict=True)):
        if not bone.any():
            continue
        smooth = gaussian_filter(counts.astype(np.float32), [_BLUR_MM / mm for mm in spacing])
        places, number = label(smooth > _HOT * np.median(smooth[bone]), _CORNERS_TOO)
        if not number:
            continue
        pixels = np.bincount(places.ravel(), minlength=number + 1)
        outside = pixels - np.bincount(places[bone], minlength=number + 1)
        chosen = (outside >= _LEAST_OUTSIDE * pixels) & (pixels * spacing[0] * spacing[1] >= _LEAST_MM2)
        chosen[0] = False
        excreted[index] = chosen[places]
    return excreted


def counts_of_body(scan: Scan, bones: Bones) -> NDArray[np.float64]:
    """Counts of each view (view,), without those of `find_excreted`."""
    kept = np.where(find_excreted(scan, bones), 0, scan.counts)
    return np.asarray(kept.sum(axis=(1, 2), dtype=np.float64))
