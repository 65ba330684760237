"""Ratios of uptakes: sacroiliac joints, bone to soft tissue, kidney to lumbar spine, and both views together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.anatomy import CODES, REGIONS
from napari_bonescint.measurement.bones import PAIRED, SIDES
from napari_bonescint.measurement.measures import Ratio
from napari_bonescint.scan import ViewName

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from napari_bonescint.measurement.examination import Examination
    from napari_bonescint.measurement.measures import Side
    from napari_bonescint.scan import Scan

_SACROILIAC = (
    "Mean counts of the {side} sacroiliac joint over those of the sacrum in the posterior view. The joint is the bone "
    "up to 8 mm from the border between sacrum and pelvis, in the rows where the sacrum has the pelvis on both sides; "
    "the reference is the middle half of the sacrum in these rows, without hot spots."
)
_SOFT_TISSUE = (
    "Normal counts of the {bone} in the {view} view (median of the pixels that are in no hot spot) over the mean "
    "counts of the thighs' soft tissue, 12 to 60 mm from bone beside the middle third of the femurs."
)
_KIDNEY = (
    "Mean counts of the kidneys over the normal counts of the lumbar spine (median of the pixels that are in no hot "
    "spot) in the posterior view. The kidneys' cores are found beside the lumbar spine by their brightness, size and "
    "shape."
)
_GEOMETRIC = (
    "Square root of the counts of the {part} in the anterior view times those in the posterior view; it depends less "
    "on the depth of the bone than the counts of one view."
)
_GEOMETRIC_SIDES = "Geometric mean of both views' counts of the patient's left {part} over that of the right."

_NO_KIDNEY = "No kidney stands out from the soft tissue beside the lumbar spine."
_NO_THIGH = "The view shows too little soft tissue of the thighs."
_NO_LUMBAR_SPINE = "The view shows no lumbar spine."
_ONE_VIEW = "The scan has one view."


def measure_ratios(
    scan: Scan, examined: Examination, labels: NDArray[np.uint16], normals: NDArray[np.float64]
) -> tuple[Ratio, ...]:
    """Measure all ratios; one that the input does not allow has the reason instead of a value.

    Parameters
    ----------
    scan : Scan
        The scan.
    examined : Examination
        The scan's, with its regions.
    labels : ndarray of uint16, shape (view, y, x)
        Hot spots, which are left out of normal bone.
    normals : ndarray of float64, shape (view, region code, side)
        Normal counts outside them, see `Examination.normals`.
    """
    ratios = [
        *_sacroiliac(scan, examined, labels),
        *_soft_tissue(scan, examined, normals),
        _kidney(scan, examined, normals),
        *_geometric(scan, examined),
    ]
    if examined.no_counts:
        return tuple(Ratio(ratio.name, None, ratio.definition, examined.no_counts) for ratio in ratios)
    return tuple(ratios)


def _sacroiliac(scan: Scan, examined: Examination, labels: NDArray[np.uint16]) -> Iterator[Ratio]:
    sides: tuple[Side, ...] = ("left", "right")
    for side in sides:
        name, definition = f"sacroiliac_to_sacrum_{side}", _SACROILIAC.format(side=side)
        profile = examined.sacroiliac
        if isinstance(profile, str):
            yield Ratio(name, None, definition, profile)
            continue
        value = profile.ratio(scan, side, labels[profile.view] > 0)
        yield Ratio(name, value, definition, "" if value is not None else "Hot spots cover most of the sacrum.")


def _soft_tissue(scan: Scan, examined: Examination, normals: NDArray[np.float64]) -> Iterator[Ratio]:
    for view, bone in ((ViewName.POSTERIOR, "lumbar_spine"), (ViewName.ANTERIOR, "femur")):
        name = f"{bone}_to_soft_tissue"
        definition = _SOFT_TISSUE.format(bone=REGIONS[CODES[bone]].label, view=view)
        index = _view(scan, view)
        if index is None:
            yield Ratio(name, None, definition, f"There is no {view} view.")
            continue
        soft = examined.soft_tissue[index]
        if not _shows(examined, index, bone):
            yield Ratio(name, None, definition, f"The view shows no {REGIONS[CODES[bone]].label}.")
        elif not soft:
            yield Ratio(name, None, definition, _NO_THIGH)
        else:
            yield Ratio(name, float(normals[index, CODES[bone], 0]) / soft, definition)


def _kidney(scan: Scan, examined: Examination, normals: NDArray[np.float64]) -> Ratio:
    name = "kidney_to_lumbar_spine"
    index = _view(scan, ViewName.POSTERIOR)
    if index is None:
        return Ratio(name, None, _KIDNEY, "There is no posterior view.")
    if not _shows(examined, index, "lumbar_spine"):
        return Ratio(name, None, _KIDNEY, _NO_LUMBAR_SPINE)
    kidney = examined.kidney_counts[index]
    if kidney is None:
        return Ratio(name, None, _KIDNEY, _NO_KIDNEY)
    return Ratio(name, kidney / float(normals[index, CODES["lumbar_spine"], 0]), _KIDNEY)


def _geometric(scan: Scan, examined: Examination) -> Iterator[Ratio]:
    sums = examined.sums
    is_both = {view.name for view in scan.views} == set(ViewName)
    means = np.sqrt(sums[0] * sums[1]) if is_both else np.zeros(sums.shape[1:])
    both = np.sqrt(sums[0].sum(axis=1) * sums[1].sum(axis=1)) if is_both else np.zeros(len(REGIONS))
    for region in REGIONS[1:]:
        name, definition = f"geometric_mean_counts_{region.name}", _GEOMETRIC.format(part=region.label)
        if is_both and both[region.code] > 0:
            yield Ratio(name, float(both[region.code]), definition)
        else:
            yield Ratio(name, None, definition, f"Not both views show the {region.label}." if is_both else _ONE_VIEW)
        if region.name not in PAIRED:
            continue
        name, definition = f"geometric_left_right_{region.name}", _GEOMETRIC_SIDES.format(part=region.label)
        left, right = (float(means[region.code, SIDES.index(side)]) for side in SIDES[1:])
        if left > 0 and right > 0:
            yield Ratio(name, left / right, definition)
        else:
            reason = f"Not both views show the {region.label} of both sides." if is_both else _ONE_VIEW
            yield Ratio(name, None, definition, reason)


def _view(scan: Scan, name: ViewName) -> int | None:
    return next((index for index, view in enumerate(scan.views) if view.name is name), None)


def _shows(examined: Examination, view: int, region: str) -> bool:
    return bool(examined.pixels[view, CODES[region]].sum() > 0)
