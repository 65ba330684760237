"""Warn about input that does not look like a whole-body bone scan as acquired.

The rules use the image (bright places, contrast of bone), the probability of bone and, if the network names regions,
anatomy (regions present, their share of the skeleton, their order from head to foot). No rule uses noise, because 8-bit
pictures are allowed.

Each limit lies about halfway between the values of good scans (simulated, and NEMA NM1) and those of wrong input;
`benchmarks/wrong_inputs.py` measures how much wrong input passes.

Not detected: left-right mirroring of a single view or of both, since most organs are invisible and lesions and
injection sites lie on either side; another tracer that bone takes up (F-18 fluoride). Skeleton-only models also miss
most partial bodies, wrong views and upside-down patients.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.anatomy import CODES, REGIONS
from napari_bonescint.notices import Notice, Remedy
from napari_bonescint.scan import ViewName

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from napari_bonescint.scan import Spacing, View

# Brightness as from `preprocessing.normalise`: bright bone is about 1.
_BODY = 0.2
_BRIGHT_EDGE = 0.5
_MOST_WIDTH_PER_LENGTH = 1.3

# The largest share of uncertain pixels (probability below 0.9) among those of possible bone (above 0.1); the smallest
# ratio of brightness between bone and the rest of the body.
_MOST_UNCERTAIN = 0.8
_LEAST_CONTRAST = 1.25

# The smallest area of a region that counts as found; the largest lateral standard deviation of skull and spine, as a
# fraction of the distance from pelvis to skull.
_LEAST_AREA_MM2 = 300.0
_FEWEST_REGIONS = 9
_MOST_MIDLINE_SPREAD = 0.2

# Shares of all bone pixels in either view of a whole body; the measured ranges, widened by about a factor of two.
_SPINE = ("thoracic_spine", "lumbar_spine")
_PROPORTIONS = {
    ("skull",): (0.03, 0.22),
    _SPINE: (0.03, 0.20),
    ("ribs",): (0.03, 0.25),
    ("pelvis", "sacrum"): (0.05, 0.28),
    ("humerus", "forearm"): (0.03, 0.30),
    ("femur", "lower_leg"): (0.10, 0.50),
}
_MOST_MISFITS = 1
_LEAST_OF_EITHER_SPINE = 0.008

# The anterior view shows the sternum, and only the processes of the scapula. Shares of all bone pixels, and the
# sternum's share of sternum and scapula.
_WHOLE_SCAPULAE = 0.055
_WHOLE_STERNUM = 0.004
_LEAST_STERNUM_ANTERIOR = 0.05
_MOST_STERNUM_POSTERIOR = 0.10

_TURN = "if it is a bone scan, turn it upright and segment again"

# The intersection over union of the bones in both views, minus the same with one view mirrored. No body is symmetric:
# all of 53 simulated scans as acquired are below -0.03, and nine in ten below -0.16.
_MORE_ALIKE = 0.08


def input_warnings(
    views: Sequence[View],
    images: NDArray[np.float32],
    probability: NDArray[np.float32],
    regions: NDArray[np.uint8] | None,
    spacing: Spacing,
) -> list[Notice]:
    """List the reasons to believe that a segmented scan is not a whole-body bone scan as acquired.

    Parameters
    ----------
    views : sequence of View
        The views as named by the file or the user.
    images : ndarray of float32, shape (view, y, x)
        Brightness as `preprocessing.normalise` gives it, on the pixels of the masks.
    probability : ndarray of float32, shape (view, y, x)
        Probability of bone.
    regions : ndarray of uint8, shape (view, y, x), or None
        Region codes, if the network names regions.
    spacing : (float, float)
        Pixel spacing (y, x) in mm.

    Returns
    -------
    list of Notice
        Sentences for the user: the first reason for each view, if any.
    """
    sentences: list[Notice] = []
    for i, view in enumerate(views):
        reasons = [_check_image(images[i], spacing), _check_bone(images[i], probability[i])]
        if regions is not None:
            reasons += [
                _check_layout(regions[i], spacing),
                _check_proportions(regions[i]),
                _check_view_name(view.name, regions[i]),
            ]
        found = [Notice.of(reason) for reason in reasons if reason is not None][:1]
        sentences += [Notice(f"The {view.name} view {reason}", reason.remedy, view.name) for reason in found]
    if not sentences and [view.name for view in views] == list(ViewName):
        sentence = _check_mirroring(*(probability >= 0.5))
        sentences += [] if sentence is None else [sentence]
    return sentences


def _check_image(image: NDArray[np.float32], spacing: Spacing) -> str | None:
    """A warning if the image is bright beside the patient, or turned by 90 degrees."""
    edge = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    if np.median(edge) > _BRIGHT_EDGE:
        return Notice(
            "is bright up to its edges, unlike a whole-body bone scan as acquired; if it shows dark bones on white, "
            "invert it and segment again.",
            Remedy.INVERT,
        )
    body = image > _BODY
    length, width = (mm * _spread(body.sum(axis=axis)) for axis, mm in ((1, spacing[0]), (0, spacing[1])))
    if width > _MOST_WIDTH_PER_LENGTH * length:
        return Notice(f"is wider than long, like a patient lying across; {_TURN}.", Remedy.TURN_UP)
    return None


def _check_bone(image: NDArray[np.float32], probability: NDArray[np.float32]) -> str | None:
    """A warning if the probability of bone is uncertain, or bone hardly brighter than the rest of the body."""
    possible = probability > 0.1
    uncertain = possible & (probability < 0.9)
    if uncertain.sum() >= _MOST_UNCERTAIN * possible.sum():
        return _no_bone_scan("the probability of bone is uncertain almost everywhere")
    bone = probability >= 0.5
    rest = (image > _BODY) & ~bone
    if rest.any() and image[bone].mean() < _LEAST_CONTRAST * image[rest].mean():
        return _no_bone_scan("bone is hardly brighter than the rest of the body")
    return None


def _check_layout(regions: NDArray[np.uint8], spacing: Spacing) -> str | None:
    """A warning if a view is upside down, or shows two bodies side by side, or only a part of a body."""
    row, column = np.nonzero(regions)
    code = regions[row, column]
    pixels = np.bincount(code, minlength=len(REGIONS))
    height_mm = np.bincount(code, weights=row, minlength=len(REGIONS)) / np.maximum(pixels, 1) * spacing[0]
    found = pixels * spacing[0] * spacing[1] >= _LEAST_AREA_MM2
    skull, spine, pelvis, leg = _codes(("skull", "thoracic_spine", "pelvis", "lower_leg"))
    if found[spine] and found[leg] and height_mm[spine] > height_mm[leg]:
        return Notice(f"looks upside down, the spine below the legs; {_TURN}.", Remedy.TURN_OVER)
    trunk_mm = height_mm[pelvis] - height_mm[skull]
    midline = np.bincount(column[np.isin(code, _codes(("skull", *_SPINE)))], minlength=regions.shape[1])
    if found[skull] and found[pelvis] and _spread(midline) * spacing[1] > _MOST_MIDLINE_SPREAD * trunk_mm > 0:
        return Notice(
            "seems to show two bodies side by side; if these are two views in one image, split it into two views and "
            "segment again.",
            Remedy.SPLIT_SIDES,
        )
    if found.sum() < _FEWEST_REGIONS:
        shown = ", ".join(region.label for region in REGIONS if found[region.code]) or "no bone"
        return f"shows only a part of the body ({shown}); models learnt from whole-body scans, so check every bone."
    return None


def _check_proportions(regions: NDArray[np.uint8]) -> str | None:
    """A warning if regions have impossible shares of the skeleton."""
    share = _shares(regions)
    misfits = [parts for parts, (low, high) in _PROPORTIONS.items() if not low <= share[_codes(parts)].sum() <= high]
    if _SPINE in misfits or share[_codes(_SPINE)].min() < _LEAST_OF_EITHER_SPINE:
        return _no_bone_scan("the spine is missing or has an unusual size")
    if len(misfits) > _MOST_MISFITS:
        names = " and ".join(REGIONS[code].label for parts in misfits for code in _codes(parts))
        return _no_bone_scan(f"{names} are missing or have an unusual size")
    return None


def _check_view_name(name: ViewName, regions: NDArray[np.uint8]) -> str | None:
    """A warning if sternum and scapulae look as in the opposite view."""
    sternum, scapula = _shares(regions)[_codes(("sternum", "scapula"))]
    if name is ViewName.ANTERIOR:
        is_other = scapula > _WHOLE_SCAPULAE and sternum < _LEAST_STERNUM_ANTERIOR * (sternum + scapula)
        anatomy = "whole scapulae and no sternum"
    else:
        is_other = sternum > _WHOLE_STERNUM and sternum > _MOST_STERNUM_POSTERIOR * (sternum + scapula)
        anatomy = "a sternum"
    if not is_other:
        return None
    return Notice(
        f"looks {name.opposite}, with {anatomy}; if so, change the view to {name.opposite} and segment again.",
        Remedy.CHANGE_VIEW,
    )


def _check_mirroring(anterior: NDArray[np.bool_], posterior: NDArray[np.bool_]) -> Notice | None:
    """A warning if one view is mirrored: opposite views of a body are mirror images of each other."""
    anterior, posterior = (_centred(bone) for bone in (anterior, posterior))
    if _overlap(anterior, posterior) - _overlap(anterior, posterior[:, ::-1]) < _MORE_ALIKE:
        return None
    return Notice(
        "The anterior and the posterior view are not mirror images of each other, as they should be; if the posterior "
        "view was mirrored, mirror it back and segment again.",
        Remedy.MIRROR,
    )


def _no_bone_scan(reason: str) -> str:
    return f"does not look like a whole-body bone scan: {reason}; check that it is one before you use the mask."


def _codes(regions: Iterable[str]) -> list[int]:
    return [CODES[region] for region in regions]


def _shares(regions: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Share of each region in all bone pixels, by region code; 0 for background."""
    pixels = np.bincount(regions.ravel(), minlength=len(REGIONS)).astype(np.float64)
    pixels[0] = 0
    return np.asarray(pixels / max(pixels.sum(), 1))


def _spread(weights: NDArray[np.integer]) -> float:
    """Standard deviation of the positions 0, 1, ... with these weights; 0 if all weights are 0."""
    if not weights.any():
        return 0.0
    position = np.arange(weights.size)
    mean = np.average(position, weights=weights)
    return float(np.sqrt(np.average((position - mean) ** 2, weights=weights)))


def _centred(bone: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Shift a mask horizontally to centre it, because two views may have been acquired one after the other."""
    columns = bone.sum(axis=0)
    if not columns.any():
        return bone
    middle = np.average(np.arange(columns.size), weights=columns)
    return np.roll(bone, round((columns.size - 1) / 2 - middle), axis=1)


def _overlap(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """Intersection over union of two masks."""
    return float((one & other).sum() / max((one | other).sum(), 1))
