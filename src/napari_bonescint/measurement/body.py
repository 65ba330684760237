"""Places outside bone: urine and the injection site, soft tissue of the thighs, and the kidneys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import distance_transform_edt, find_objects, gaussian_filter, label

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
_KIDNEY_MM2 = 800.0
_KIDNEY_HEIGHT_MM = 40.0
_FULL_BOX = 0.5
_KIDNEY_STEP = 1.1
_BESIDE_BONE_MM = 6.0
_LEAST_AWAY = 0.8
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

    A kidney is a connected place beside the lumbar spine, outside bone, whose smoothed counts exceed a level of at
    least 1.4 times the median there. It is at least 8 square centimetres large and 40 mm high, and covers half of the
    box around it. The highest such level is taken, so the place is the kidney's core. A place that is much brighter
    beside bone than away from it is no kidney, but the blur of bright bone.
    """
    found = np.zeros(regions.shape[1:], bool)
    spacing = spacing_of(scan)
    beside = _beside_lumbar_spine(scan, regions, bones, view) & (regions[view] == 0)
    rows = np.flatnonzero(beside.any(axis=1))
    if not rows.size:
        return found
    window = slice(rows[0], rows[-1] + 1)
    smooth = gaussian_filter(scan.counts[view, window].astype(np.float32), [_BLUR_MM / mm for mm in spacing])
    from_bone = distance_transform_edt(regions[view, window] == 0, sampling=spacing)
    columns = np.arange(regions.shape[2])
    for on_side in (columns < bones.middles[view][window, None], columns > bones.middles[view][window, None]):
        zone = beside[window] & on_side
        if np.count_nonzero(zone) >= _FEWEST_PIXELS:
            core = _kidney(np.where(zone, smooth, 0), float(np.median(smooth[zone])), spacing)
            away = core & (from_bone >= _BESIDE_BONE_MM)
            by_bone = core & ~away
            if away.any() and (not by_bone.any() or smooth[away].mean() >= _LEAST_AWAY * smooth[by_bone].mean()):
                found[window] |= core
    return found


def _kidney(smooth: NDArray[np.float32], usual: float, spacing: Spacing) -> NDArray[np.bool_]:
    """The core of the kidney in smoothed counts (y, x), which are 0 where no kidney can be; empty if there is none."""
    core = np.zeros(smooth.shape, bool)
    level = _LEAST_KIDNEY * usual
    while usual > 0 and smooth.max() > level:
        places, _ = label(smooth > level, _CORNERS_TOO)
        kidneys = [
            place
            for place, (high, wide) in enumerate(find_objects(places), start=1)
            if (high.stop - high.start) * spacing[0] >= _KIDNEY_HEIGHT_MM
            and np.count_nonzero(places[high, wide] == place)
            >= max(
                _FULL_BOX * (high.stop - high.start) * (wide.stop - wide.start), _KIDNEY_MM2 / spacing[0] / spacing[1]
            )
        ]
        if kidneys:
            core = places == kidneys[0]
        elif core.any():
            break
        level *= _KIDNEY_STEP
    return core


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
