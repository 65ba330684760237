"""Places outside bone: urine and the injection site, soft tissue of the thighs, and the kidneys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import distance_transform_edt, gaussian_filter, label

from napari_bonescint.anatomy import CODES
from napari_bonescint.inference.preprocessing import ASSUMED_SPACING_MM

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_bonescint.measurement.bones import Bones
    from napari_bonescint.scan import Scan, Spacing

_CORNERS_TOO = np.ones((3, 3))
_BLUR_MM = 4.0

# A place is looked for at many levels, since a bladder and a hot bone beside it are apart at a high level only.
_LEVELS = (1.5, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64)
_LEAST_OUTSIDE = 0.4
_LEAST_SHARE = 0.005

# Kidneys lie beside the lumbar spine and up to 60 mm above it.
_KIDNEYS_ABOVE_MM = 60.0
_KIDNEYS_FROM_MIDLINE_MM = (25.0, 105.0)
_KIDNEY_MM2 = (600.0, 9000.0)
_LEAST_KIDNEY = 1.4

_FROM_BONE_MM = (12.0, 60.0)
_FEWEST_PIXELS = 50
# Of the counts of bone; the body of every patient is brighter, and the air beside it darker.
_BODY = 0.03


def spacing_of(scan: Scan) -> Spacing:
    """The pixel spacing (y, x) in mm, or that of most cameras if it is unknown."""
    return scan.spacing or (ASSUMED_SPACING_MM, ASSUMED_SPACING_MM)


def find_excreted(scan: Scan, regions: NDArray[np.uint8], bones: Bones) -> NDArray[np.bool_]:
    """Find the bladder, the injection site and other tracer that left the body or missed the vein; (view, y, x).

    A connected place of smoothed counts above 1.5 times the median of bone, or above a higher level up to 64 times,
    belongs to them if at least 40 per cent of it lies outside bone, and if it exceeds the median of bone by at least
    half a per cent of all counts of the view. Their pixels in front of bone are thus found, too. Kidneys do not belong
    to them.

    Parameters
    ----------
    scan : Scan
        The scan.
    regions : ndarray of uint8, shape (view, y, x)
        Region codes.
    bones : Bones
        Those of `regions`.
    """
    excreted = np.zeros(scan.counts.shape, bool)
    sigma = [_BLUR_MM / mm for mm in spacing_of(scan)]
    for index, (counts, codes) in enumerate(zip(scan.counts, regions, strict=True)):
        bone = codes > 0
        if not bone.any():
            continue
        smooth = gaussian_filter(counts.astype(np.float32), sigma)
        normal = max(float(np.median(smooth[bone])), 1e-6)
        least = _LEAST_SHARE * float(counts.sum(dtype=np.float64))
        at_kidneys = _beside_lumbar_spine(scan, regions, bones, index)
        for level in _LEVELS:
            places, number = label(smooth > level * normal, _CORNERS_TOO)
            if not number:
                break
            there = np.flatnonzero(places)
            place = places.ravel()[there]
            pixels = np.bincount(place, minlength=number + 1)
            outside = np.bincount(place, weights=~bone.ravel()[there], minlength=number + 1)
            kidney = np.bincount(place, weights=at_kidneys.ravel()[there], minlength=number + 1)
            excess = np.bincount(place, weights=smooth.ravel()[there] - normal, minlength=number + 1)
            chosen = (outside >= _LEAST_OUTSIDE * pixels) & (excess >= least) & (kidney < pixels / 2)
            excreted[index].ravel()[there[chosen[place]]] = True
    return excreted


def soft_tissue(scan: Scan, regions: NDArray[np.uint8], view: int, excreted: NDArray[np.bool_]) -> float | None:
    """Mean counts of the thighs' soft tissue in a view; None if too little of it is seen.

    It is what lies beside the middle third of the femurs, 12 to 60 mm from all bone, within the body and outside urine.
    """
    bone = regions[view] > 0
    rows = np.flatnonzero((regions[view] == CODES["femur"]).any(axis=1))
    if not rows.size:
        return None
    third = (rows[-1] - rows[0]) // 3
    reach = round(_FROM_BONE_MM[1] / spacing_of(scan)[0])
    top, bottom = rows[0] + third, rows[-1] + 1 - third
    window = slice(max(0, top - reach), bottom + reach)
    away = distance_transform_edt(~bone[window], sampling=spacing_of(scan))[top - window.start : bottom - window.start]
    counts = scan.counts[view, top:bottom].astype(np.float64)
    smooth = gaussian_filter(counts, [_BLUR_MM / mm for mm in spacing_of(scan)])
    beside = (away >= _FROM_BONE_MM[0]) & (away <= _FROM_BONE_MM[1]) & ~excreted[view, top:bottom]
    beside &= smooth > _BODY * float(np.median(scan.counts[view][bone]))
    if np.count_nonzero(beside) < _FEWEST_PIXELS:
        return None
    # Half of the usual counts mark the skin, since the blur spreads counts beyond it.
    chosen = beside & (smooth >= np.median(smooth[beside]) / 2)
    return float(counts[chosen].mean())


def find_kidneys(scan: Scan, regions: NDArray[np.uint8], bones: Bones, view: int) -> NDArray[np.bool_]:
    """Find the kidneys in a view, at most one on each side; shape (y, x).

    A kidney is the connected place around the highest smoothed counts beside the lumbar spine, outside bone, that
    exceeds the mean of this peak and of the soft tissue there. It must reach 1.4 times the soft tissue, and have the
    size of a kidney.
    """
    found = np.zeros(regions.shape[1:], bool)
    spacing = spacing_of(scan)
    beside = _beside_lumbar_spine(scan, regions, bones, view) & (regions[view] == 0)
    rows = np.flatnonzero(beside.any(axis=1))
    if not rows.size:
        return found
    window = slice(rows[0], rows[-1] + 1)
    smooth = gaussian_filter(scan.counts[view, window].astype(np.float32), [_BLUR_MM / mm for mm in spacing])
    columns = np.arange(regions.shape[2])
    for on_side in (columns < bones.middles[view][window, None], columns > bones.middles[view][window, None]):
        zone = beside[window] & on_side
        if np.count_nonzero(zone) < _FEWEST_PIXELS:
            continue
        usual = float(np.median(smooth[zone]))
        peak = np.unravel_index(int(np.where(zone, smooth, -1).argmax()), zone.shape)
        highest = float(smooth[peak])
        places, _ = label(zone & (smooth > (highest + usual) / 2), _CORNERS_TOO)
        kidney = places == places[peak]
        area = np.count_nonzero(kidney) * spacing[0] * spacing[1]
        if highest >= _LEAST_KIDNEY * usual and _KIDNEY_MM2[0] <= area <= _KIDNEY_MM2[1]:
            found[window] |= kidney
    return found


def _beside_lumbar_spine(scan: Scan, regions: NDArray[np.uint8], bones: Bones, view: int) -> NDArray[np.bool_]:
    """The pixels (y, x) where a kidney may lie."""
    spacing = spacing_of(scan)
    beside = np.zeros(regions.shape[1:], bool)
    rows = np.flatnonzero((regions[view] == CODES["lumbar_spine"]).any(axis=1))
    if rows.size:
        window = slice(max(0, rows[0] - round(_KIDNEYS_ABOVE_MM / spacing[0])), rows[-1] + 1)
        columns = np.arange(regions.shape[2])
        from_midline = np.abs(columns - bones.middles[view][window, None]) * spacing[1]
        nearest, farthest = _KIDNEYS_FROM_MIDLINE_MM
        beside[window] = (from_midline >= nearest) & (from_midline <= farthest)
    return beside
