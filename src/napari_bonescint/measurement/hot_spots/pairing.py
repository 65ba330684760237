"""Find the hot spots of both views that are one lesion, and those of both sides that are alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linear_sum_assignment

from napari_bonescint.anatomy import CODES, REGIONS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_bonescint.measurement.hot_spots.marked import MarkedPixels
    from napari_bonescint.scan import Spacing

# Bones of the two views that may show the same place: one lies in front of the other, or beside it.
_SAME_PLACE = (
    ("skull", "cervical_spine"),
    ("cervical_spine", "thoracic_spine"),
    ("thoracic_spine", "lumbar_spine"),
    ("thoracic_spine", "ribs"),
    ("thoracic_spine", "sternum"),
    ("lumbar_spine", "sacrum"),
    ("lumbar_spine", "ribs"),
    ("sacrum", "pelvis"),
    ("lumbar_spine", "pelvis"),
    ("ribs", "scapula"),
    ("ribs", "clavicle"),
    ("ribs", "sternum"),
    ("clavicle", "scapula"),
    ("clavicle", "sternum"),
    ("scapula", "humerus"),
    ("humerus", "forearm"),
    ("forearm", "hand"),
    ("pelvis", "femur"),
    ("femur", "lower_leg"),
    ("lower_leg", "foot"),
)
_FARTHEST_MM = 20.0
# The share of the radii of both spots that their centres may be apart in addition.
_OF_RADII = 0.5
_MOST_STRETCH = 1.15
_MOST_UNLIKE = 2.0
_NEVER = 1e6


def find_partners(marked: MarkedPixels, spacing: Spacing) -> NDArray[np.intp]:
    """For each spot, the spot of the opposite view that is the same lesion, or -1; shape (spots,).

    A place in the posterior view is mirrored at the midline, and its height is taken relative to the upper and the
    lower end of its region. Two spots are one lesion if their places are less than 20 mm and half of their radii apart,
    in the same or adjacent regions. If there is a choice, the sum of the distances is the smallest.
    """
    partner = np.full(len(marked), -1)
    if len(marked.bones.views) != 2 or marked.bones.views[0].name is marked.bones.views[1].name:
        return partner
    first, second = np.flatnonzero(marked.view == 0), np.flatnonzero(marked.view == 1)
    if not (len(first) and len(second)):
        return partner
    places = _places_in_first_view(marked)
    apart = (places[first][:, None] - places[second][None]) * np.array(spacing)
    distance = np.hypot(apart[..., 0], apart[..., 1])
    radius = np.sqrt(marked.pixels * spacing[0] * spacing[1] / np.pi)
    limit = _FARTHEST_MM + _OF_RADII * (radius[first][:, None] + radius[second][None])
    codes, sides = marked.places.T
    allowed = _ALIKE[codes[first][:, None], codes[second][None]]
    opposite = sides[first][:, None] + sides[second][None] == 3
    cost = np.where((distance <= limit) & allowed & ~opposite, distance / limit, _NEVER)
    for i, j in zip(*linear_sum_assignment(cost), strict=True):
        if cost[i, j] < _NEVER:
            partner[first[i]], partner[second[j]] = second[j], first[i]
    return partner


def find_mirrored(marked: MarkedPixels, spacing: Spacing) -> NDArray[np.bool_]:
    """For each spot, whether a spot of its view lies at the mirrored place in the same region on the other side."""
    rows, columns = marked.centres.T
    middle = marked.bones.middles[marked.view, np.rint(rows).astype(np.intp)]
    code, side = marked.places.T
    apart = np.hypot(
        (rows[:, None] - rows[None]) * spacing[0],
        (columns[:, None] - middle[:, None] + columns[None] - middle[None]) * spacing[1],
    )
    same = (marked.view[:, None] == marked.view[None]) & (code[:, None] == code[None])
    opposite = side[:, None] + side[None] == 3
    radius = np.sqrt(marked.pixels * spacing[0] * spacing[1] / np.pi)
    unlike = np.abs(np.log(radius[:, None] / radius[None])) > np.log(_MOST_UNLIKE)
    return np.asarray((same & opposite & ~unlike & (apart <= _FARTHEST_MM)).any(axis=1))


def _places_in_first_view(marked: MarkedPixels) -> NDArray[np.float64]:
    """Row and column offset from the midline, of each spot, as they are in the first view; (spots, 2)."""
    bones = marked.bones
    rows, columns = marked.centres.T
    middle = bones.middles[marked.view, np.rint(rows).astype(np.intp)]
    offset = np.where([bones.views[view].patient_left_on_image_right for view in marked.view], 1, -1)
    scale, shift = _from_second_view(bones.ends)
    code = marked.places[:, 0]
    moved = np.where(marked.view == 1, rows * scale[code] + shift[code], rows)
    return np.stack([moved, (columns - middle) * offset], axis=1)


def _from_second_view(ends: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Scale and shift of each region's rows from the second view to the first, from its ends (view, region code, 2).

    A region that only one view shows, or whose height differs by more than 15 per cent, as the scapula's does, moves
    like the middle one of the others.
    """
    height = ends[:, :, 1] - ends[:, :, 0]
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = height[0] / height[1]
    alike = (scale < _MOST_STRETCH) & (scale > 1 / _MOST_STRETCH)
    shift = ends[0, :, 0] - scale * ends[1, :, 0]
    common = 0.0
    if alike.any():
        common = float(np.median((ends[0] - ends[1])[alike]))
    return np.where(alike, scale, 1.0), np.where(alike, shift, common)


def _alike() -> NDArray[np.bool_]:
    table = np.eye(len(REGIONS), dtype=bool)
    for one, other in _SAME_PLACE:
        table[CODES[one], CODES[other]] = table[CODES[other], CODES[one]] = True
    table[0] = table[:, 0] = True
    return table


_ALIKE = _alike()
