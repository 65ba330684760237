"""Whether a view that was segmented is a bone scan as acquired: sentences on what looks wrong, and what to do.

The rules are read off the image (where it is bright, how far bone stands out), off the network's own certainty, and,
where it names regions, off anatomy: which bones there are, what share of the skeleton each makes up, and their order
from head to foot. No rule looks at noise, because 8-bit pictures are welcome too.

The limits lie about halfway between what simulated scans and the NEMA NM1 scan give and what inputs of the wrong kind
give, and far from both where there is room; `benchmarks/wrong_inputs.py` measures what they let through.

What cannot be told: whether a single view, or both alike, are mirrored left to right (organs that could tell are mostly
not seen, and lesions or an injection site may be on either side); the tracer, if bone takes it up (F-18 fluoride).
Without regions, only the image and the certainty speak: then a part of a body, the other view, or a patient who lies
upside down mostly pass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.anatomy import CODES, REGIONS
from napari_bonescint.scan import ViewName

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from napari_bonescint.scan import Spacing, View

# Brightness is as `preprocessing.normalise` gives it: bright bone is about 1.
_BODY = 0.2
_BRIGHT_EDGE = 0.5
_MOST_WIDTH_PER_LENGTH = 1.3

# Shares of the pixels that the network takes for bone perhaps (with a probability above 0.1) and not surely (below
# 0.9); and how much brighter bone is than the rest of the body.
_MOST_UNSURE = 0.8
_LEAST_CONTRAST = 1.25

# A region counts as found from this area on; the skull's and spine's standard deviation to the sides is measured by
# the height from pelvis to skull.
_LEAST_AREA_MM2 = 300.0
_FEWEST_REGIONS = 9
_MOST_MIDLINE_SPREAD = 0.2

# Shares of all bone pixels that the parts of a whole body take up in either view, widened by about a factor of two.
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

# From the front one sees the sternum, and of the scapula only its processes. Shares of all bone pixels, and the
# sternum's share of both.
_WHOLE_SCAPULAE = 0.055
_WHOLE_STERNUM = 0.004
_LEAST_STERNUM_ANTERIOR = 0.05
_MOST_STERNUM_POSTERIOR = 0.10

# By how much the bones' intersection over union is larger than with the other view mirrored. No body is symmetric: of
# 53 simulated scans as acquired, all are below -0.03, and nine in ten below -0.16.
_MORE_ALIKE = 0.08


def doubts_about(
    views: Sequence[View],
    images: NDArray[np.float32],
    probability: NDArray[np.float32],
    regions: NDArray[np.uint8] | None,
    spacing: Spacing,
) -> list[str]:
    """What speaks against a scan being a bone scan as acquired.

    Parameters
    ----------
    views : sequence of View
        Which views the planes are said to be.
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
    list of str
        Sentences to show to the user: for each view the first reason found, or none.
    """
    sentences = []
    for i, view in enumerate(views):
        reasons = [_doubt_image(images[i], spacing), _doubt_bone(images[i], probability[i])]
        if regions is not None:
            reasons += [
                _doubt_layout(regions[i], spacing),
                _doubt_proportions(regions[i]),
                _doubt_name(view.name, regions[i]),
            ]
        sentences += [f"The {view.name} view {reason}" for reason in reasons if reason is not None][:1]
    if not sentences and [view.name for view in views] == list(ViewName):
        sentence = _doubt_sides(*(probability >= 0.5))
        sentences += [] if sentence is None else [sentence]
    return sentences


def _doubt_image(image: NDArray[np.float32], spacing: Spacing) -> str | None:
    """Not dark beside the patient, or turned by a quarter."""
    edge = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    if np.median(edge) > _BRIGHT_EDGE:
        return (
            "is bright up to its edges, unlike a whole-body bone scan as acquired; if it shows dark bones on white, "
            "invert it and segment again."
        )
    body = image > _BODY
    length, width = (mm * _spread(body.sum(axis=axis)) for axis, mm in ((1, spacing[0]), (0, spacing[1])))
    if width > _MOST_WIDTH_PER_LENGTH * length:
        return "is wider than long, like a patient lying across; if it is a bone scan, turn it and segment again."
    return None


def _doubt_bone(image: NDArray[np.float32], probability: NDArray[np.float32]) -> str | None:
    """Nothing that the network is sure of, or bone that is hardly brighter than the rest of the body."""
    perhaps = probability > 0.1
    unsure = perhaps & (probability < 0.9)
    if unsure.sum() >= _MOST_UNSURE * perhaps.sum():
        return _no_bone_scan("the network is hardly anywhere sure to see bone")
    bone = probability >= 0.5
    rest = (image > _BODY) & ~bone
    if rest.any() and image[bone].mean() < _LEAST_CONTRAST * image[rest].mean():
        return _no_bone_scan("bone is hardly brighter than the rest of the body")
    return None


def _doubt_layout(regions: NDArray[np.uint8], spacing: Spacing) -> str | None:
    """Upside down, two bodies beside each other, or but a part of one."""
    row, column = np.nonzero(regions)
    code = regions[row, column]
    pixels = np.bincount(code, minlength=len(REGIONS))
    height_mm = np.bincount(code, weights=row, minlength=len(REGIONS)) / np.maximum(pixels, 1) * spacing[0]
    found = pixels * spacing[0] * spacing[1] >= _LEAST_AREA_MM2
    skull, spine, pelvis, leg = _codes(("skull", "thoracic_spine", "pelvis", "lower_leg"))
    if found[spine] and found[leg] and height_mm[spine] > height_mm[leg]:
        return "looks upside down, the spine below the legs; if it is a bone scan, turn it and segment again."
    trunk_mm = height_mm[pelvis] - height_mm[skull]
    midline = np.bincount(column[np.isin(code, _codes(("skull", *_SPINE)))], minlength=regions.shape[1])
    if found[skull] and found[pelvis] and _spread(midline) * spacing[1] > _MOST_MIDLINE_SPREAD * trunk_mm > 0:
        return (
            "seems to show two bodies side by side; if these are two views in one image, cut it in halves "
            "(--split-sides on the command line) and segment again."
        )
    if found.sum() < _FEWEST_REGIONS:
        seen = ", ".join(region.label for region in REGIONS if found[region.code]) or "no bone"
        return f"shows but a part of the body ({seen}); models know whole-body scans only, so check it bone by bone."
    return None


def _doubt_proportions(regions: NDArray[np.uint8]) -> str | None:
    """Bones that do not make up a body together."""
    share = _shares(regions)
    misfits = [parts for parts, (low, high) in _PROPORTIONS.items() if not low <= share[_codes(parts)].sum() <= high]
    if _SPINE in misfits or share[_codes(_SPINE)].min() < _LEAST_OF_EITHER_SPINE:
        return _no_bone_scan("the spine is missing or of a strange size")
    if len(misfits) > _MOST_MISFITS:
        names = " and ".join(REGIONS[code].label for parts in misfits for code in _codes(parts))
        return _no_bone_scan(f"{names} are missing or of a strange size")
    return None


def _doubt_name(name: ViewName, regions: NDArray[np.uint8]) -> str | None:
    """The other view's anatomy."""
    sternum, scapula = _shares(regions)[_codes(("sternum", "scapula"))]
    if name is ViewName.ANTERIOR:
        is_other = scapula > _WHOLE_SCAPULAE and sternum < _LEAST_STERNUM_ANTERIOR * (sternum + scapula)
        anatomy = "whole scapulae and no sternum"
    else:
        is_other = sternum > _WHOLE_STERNUM and sternum > _MOST_STERNUM_POSTERIOR * (sternum + scapula)
        anatomy = "a sternum"
    return f"looks {name.opposite}, with {anatomy}; if it is, name it so and segment again." if is_other else None


def _doubt_sides(anterior: NDArray[np.bool_], posterior: NDArray[np.bool_]) -> str | None:
    """Views from opposite sides that are more alike than one is to the other's mirror image."""
    anterior, posterior = (_centred(bone) for bone in (anterior, posterior))
    if _overlap(anterior, posterior) - _overlap(anterior, posterior[:, ::-1]) < _MORE_ALIKE:
        return None
    return (
        "The two views are not mirror images of each other, as they are from the front and from behind; if the "
        "posterior one is mirrored, mirror it back (⇄ in the panel, --flip-posterior on the command line) and segment "
        "again."
    )


def _no_bone_scan(reason: str) -> str:
    return f"does not look like a whole-body bone scan: {reason}; check that it is one before you use the mask."


def _codes(regions: Iterable[str]) -> list[int]:
    return [CODES[region] for region in regions]


def _shares(regions: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Share of each region in all bone pixels, by code; background is 0."""
    pixels = np.bincount(regions.ravel(), minlength=len(REGIONS)).astype(np.float64)
    pixels[0] = 0
    return np.asarray(pixels / max(pixels.sum(), 1))


def _spread(weights: NDArray[np.integer]) -> float:
    """Standard deviation of the positions 0, 1, ... with these weights; 0 if there is no weight."""
    if not weights.any():
        return 0.0
    position = np.arange(weights.size)
    mean = np.average(position, weights=weights)
    return float(np.sqrt(np.average((position - mean) ** 2, weights=weights)))


def _centred(bone: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Shifted to the sides, so that views count as alike that were not acquired at once, too."""
    columns = bone.sum(axis=0)
    if not columns.any():
        return bone
    middle = np.average(np.arange(columns.size), weights=columns)
    return np.roll(bone, round((columns.size - 1) / 2 - middle), axis=1)


def _overlap(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """Intersection over union."""
    return float((one & other).sum() / max((one | other).sum(), 1))
