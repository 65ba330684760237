"""Live checks of a mask: find what is anatomically implausible, and where.

With these limits, the true masks of simulated scans have no finding, except for mutilated or twisted bodies.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.ndimage import distance_transform_edt, gaussian_filter, label

from napari_bonescint.anatomy import CODES, REGIONS
from napari_bonescint.corrections.sides import on_image_left, side_of
from napari_bonescint.corrections.tools.mirror import midline
from napari_bonescint.corrections.tools.strokes import bounding_box
from napari_bonescint.inference.preprocessing import ASSUMED_SPACING_MM
from napari_bonescint.scan import ViewName

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from napari_bonescint.scan import Spacing, View

Kind = Literal["island", "place", "missing", "bladder", "sides"]

_CORNERS_TOO = np.ones((3, 3))
_SMALLEST_MM2 = 100.0

# An island is a piece of bone that is smaller and farther from other bone than any real piece but a fingertip.
_ISLAND_MM2 = 800.0
_ISLAND_GAP_MM = 30.0
_SCATTERED = tuple(CODES[name] for name in ("hand", "foot"))

_ABOVE = (
    ("skull", "thoracic_spine"),
    ("cervical_spine", "lumbar_spine"),
    ("thoracic_spine", "sacrum"),
    ("sternum", "pelvis"),
    ("clavicle", "lumbar_spine"),
    ("scapula", "pelvis"),
    ("ribs", "femur"),
    ("lumbar_spine", "femur"),
    ("pelvis", "lower_leg"),
    ("sacrum", "lower_leg"),
    ("femur", "foot"),
)
"""Pairs (upper, lower): each piece of the upper region lies above the middle of the lower one in any posture."""

_NEXT_TO = {
    "skull": ("cervical_spine", "clavicle"),
    "cervical_spine": ("skull", "thoracic_spine"),
    "thoracic_spine": ("cervical_spine", "lumbar_spine"),
    "lumbar_spine": ("thoracic_spine", "sacrum"),
    "sacrum": ("lumbar_spine", "pelvis"),
    "ribs": ("thoracic_spine",),
    "sternum": ("thoracic_spine", "ribs"),
    "clavicle": ("cervical_spine", "thoracic_spine"),
    "scapula": ("humerus", "ribs"),
    "humerus": ("scapula", "forearm"),
    "forearm": ("humerus", "hand"),
    "hand": ("forearm",),
    "pelvis": ("sacrum", "femur"),
    "femur": ("pelvis", "lower_leg"),
    "lower_leg": ("femur", "foot"),
    "foot": ("lower_leg",),
}
"""Neighbours of a region; a missing region should lie between them."""

_WHOLE_BODY = len(REGIONS) // 2

# Not compared: hands and forearms, which move freely, and bones that turn with the head.
_PAIRED = ("scapula", "humerus", "pelvis", "femur", "lower_leg", "foot")
_MOST_UNLIKE = 2.5

# Uptake of urine relative to the median of the pelvis. True bone covers only a part of the bladder.
_HOT = 4.0
_MOST_OF_BLADDER = 0.9
_BLADDER_MM2 = 200.0
_FROM_MIDLINE_MM = 40.0
_BLUR_MM = 4.0


@dataclass(frozen=True)
class Finding:
    """An implausible place in a mask.

    Attributes
    ----------
    kind : str
        ``island``, ``place``, ``missing``, ``bladder`` or ``sides``.
    sentence : str
        Description for the annotator.
    view : int
        Index of the view.
    point : (int, int)
        Row and column.
    code : int
        Code of the region.
    """

    kind: Kind
    sentence: str
    view: int
    point: tuple[int, int]
    code: int


@dataclass(frozen=True)
class _Plane:
    """One view, with the measurements that several checks need."""

    index: int
    view: View
    regions: NDArray[np.uint8]
    counts: NDArray[np.generic]
    spacing: Spacing
    areas_mm2: NDArray[np.float64]
    middles: NDArray[np.float64]
    pieces: dict[int, list[tuple[float, tuple[float, float]]]]

    def shows(self, name: str) -> bool:
        return bool(self.areas_mm2[CODES[name]] >= _SMALLEST_MM2)

    def finding(self, kind: Kind, sentence: str, point: tuple[float, float], code: int) -> Finding:
        return Finding(kind, f"{self.view.name.capitalize()}: {sentence}", self.index, _rounded(point), code)


def check(
    regions: NDArray[np.uint8], counts: NDArray[np.generic], views: Sequence[View], spacing: Spacing | None
) -> list[Finding]:
    """Find implausible places in a mask, view by view.

    Parameters
    ----------
    regions : ndarray of uint8, shape (view, y, x)
        Region codes. Missing regions are reported only if at least half of the regions are there.
    counts : ndarray of shape (view, y, x)
        As acquired.
    views : sequence of View
        One for each plane.
    spacing : (float, float) or None
        Pixel spacing (y, x) in mm; None takes that of most cameras.
    """
    spacing = spacing or (ASSUMED_SPACING_MM, ASSUMED_SPACING_MM)
    return [
        finding
        for index, (view, mask, acquired) in enumerate(zip(views, regions, counts, strict=True))
        for plane in [_plane(index, view, mask, acquired, spacing)]
        for find in (_misplaced, _missing, _bladder, _unlike_sides, _islands)
        for finding in find(plane)
    ]


def _plane(index: int, view: View, regions: NDArray[np.uint8], counts: NDArray[np.generic], spacing: Spacing) -> _Plane:
    rows, columns = np.nonzero(regions)
    codes = regions[rows, columns]
    pixels = np.bincount(codes, minlength=len(REGIONS))
    middles = [np.bincount(codes, weights=at, minlength=len(REGIONS)) / np.maximum(pixels, 1) for at in (rows, columns)]
    areas = np.asarray(pixels * spacing[0] * spacing[1], np.float64)
    pieces = {region.code: _pieces(regions == region.code, spacing) for region in REGIONS[1:] if pixels[region.code]}
    return _Plane(index, view, regions, counts, spacing, areas, np.stack(middles, axis=1), pieces)


def _misplaced(plane: _Plane) -> Iterator[Finding]:
    """Pieces that lie above or below another region, and should not."""
    for upper, lower in _ABOVE:
        if not (plane.shows(upper) and plane.shows(lower)):
            continue
        for name, other, sign, word in ((upper, lower, 1, "below"), (lower, upper, -1, "above")):
            height = max(plane.pieces[CODES[other]])[1][0]
            for size_mm2, middle in plane.pieces[CODES[name]]:
                if size_mm2 >= _SMALLEST_MM2 and sign * (middle[0] - height) > 0:
                    sentence = f"a piece of {_label(name)} lies {word} the {_label(other)}; is it another bone?"
                    yield plane.finding("place", sentence, middle, CODES[name])


def _missing(plane: _Plane) -> Iterator[Finding]:
    """Regions of a whole body that the mask lacks."""
    shown = [region.name for region in REGIONS[1:] if plane.shows(region.name)]
    if len(shown) < _WHOLE_BODY:
        return
    for region in REGIONS[1:]:
        if region.name in shown or (region.name == "sternum" and plane.view.name is ViewName.POSTERIOR):
            continue
        near = [CODES[name] for name in _NEXT_TO[region.name] if name in shown] or [CODES[name] for name in shown]
        yield plane.finding(
            "missing", f"no {region.label} is labelled.", _pair(plane.middles[near].mean(axis=0)), region.code
        )


def _bladder(plane: _Plane) -> Iterator[Finding]:
    """Blobs as hot as urine, near the midline and low in the pelvis, that are labelled as bone."""
    pelvis = plane.regions == CODES["pelvis"]
    rows, _ = bounding_box(pelvis)
    rows = slice((rows.start + rows.stop) // 2, rows.stop)
    if not plane.shows("pelvis"):
        return
    blur = [_BLUR_MM / mm for mm in plane.spacing]
    uptake = gaussian_filter(plane.counts[rows].astype(np.float32), blur)
    blobs, number = label(uptake > _HOT * np.median(uptake[pelvis[rows]]), _CORNERS_TOO)
    middle = midline(plane.regions)[rows]
    mask = plane.regions[rows]
    pixels = np.bincount(blobs.ravel(), minlength=number + 1)[1:]
    for blob in np.flatnonzero(pixels * plane.spacing[0] * plane.spacing[1] >= _BLADDER_MM2) + 1:
        y, x = np.nonzero(blobs == blob)
        codes = mask[y, x]
        is_bladder = (
            abs(float((x - middle[y]).mean())) * plane.spacing[1] <= _FROM_MIDLINE_MM
            and np.count_nonzero(codes) >= _MOST_OF_BLADDER * y.size
        )
        if is_bladder:
            code = int(np.bincount(codes[codes > 0]).argmax())
            sentence = f"a hot blob between the hips is labelled {REGIONS[code].label}; is it the bladder?"
            yield plane.finding("bladder", sentence, (float(y.mean()) + rows.start, float(x.mean())), code)


def _unlike_sides(plane: _Plane) -> Iterator[Finding]:
    """Regions that are much larger on one side than on the other."""
    middle = midline(plane.regions)
    for name in _PAIRED:
        if not plane.shows(name):
            continue
        region = plane.regions == CODES[name]
        y, x = np.nonzero(region)
        is_left = on_image_left(region, middle)
        left, right = int(is_left.sum()), int((~is_left).sum())
        if max(left, right) <= _MOST_UNLIKE * min(left, right):
            continue
        row = float(y.mean())
        centre = float(middle[round(row)])
        # Point at the smaller side, as far from the midline as the larger one.
        offset = float(np.abs(x - middle[y]).mean()) * (1 if left > right else -1)
        column = float(np.clip(centre + offset, 0, plane.regions.shape[1] - 1))
        side = side_of(plane.view, column, centre)
        share = min(left, right) / max(left, right)
        sentence = f"the {_label(name)} on the patient's {side} is only {share:.0%} as large as on the other side."
        yield plane.finding("sides", sentence, (row, column), CODES[name])


def _islands(plane: _Plane) -> Iterator[Finding]:
    """Small pieces of bone far from all other bone."""
    if not plane.regions.any():
        return
    away = distance_transform_edt(plane.regions == 0, sampling=plane.spacing)
    groups, number = label(away <= _ISLAND_GAP_MM / 2, _CORNERS_TOO)
    if number == 1:
        return
    rows, columns = np.nonzero(plane.regions)
    group = groups[rows, columns]
    area = np.bincount(group, minlength=number + 1) * plane.spacing[0] * plane.spacing[1]
    for island in np.flatnonzero(area[1:] < _ISLAND_MM2) + 1:
        y, x = rows[group == island], columns[group == island]
        code = int(np.bincount(plane.regions[y, x]).argmax())
        if code not in _SCATTERED:
            sentence = f"a small island of {REGIONS[code].label} lies far from all other bone."
            yield plane.finding("island", sentence, (float(y.mean()), float(x.mean())), code)


def _pieces(region: NDArray[np.bool_], spacing: Spacing) -> list[tuple[float, tuple[float, float]]]:
    """Area in mm² and middle (y, x) of each connected piece of a region."""
    rows, columns = bounding_box(region)
    labels, number = label(region[rows, columns], _CORNERS_TOO)
    y, x = np.nonzero(labels)
    piece = labels[y, x]
    pixels = np.bincount(piece, minlength=number + 1)[1:]
    middle_y = np.bincount(piece, weights=y)[1:] / pixels + rows.start
    middle_x = np.bincount(piece, weights=x)[1:] / pixels + columns.start
    areas = pixels * spacing[0] * spacing[1]
    return [(float(a), (float(v), float(h))) for a, v, h in zip(areas, middle_y, middle_x, strict=True)]


def _label(name: str) -> str:
    return REGIONS[CODES[name]].label


def _pair(point: NDArray[np.float64]) -> tuple[float, float]:
    return float(point[0]), float(point[1])


def _rounded(point: tuple[float, float]) -> tuple[int, int]:
    return round(point[0]), round(point[1])
