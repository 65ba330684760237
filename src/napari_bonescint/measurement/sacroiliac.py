"""The sacroiliac joints against the sacrum, in the posterior view."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_bonescint.anatomy import CODES
from napari_bonescint.measurement.body import spacing_of
from napari_bonescint.scan import ViewName

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_bonescint.measurement.measures import Side
    from napari_bonescint.scan import Scan

SACRUM, LEFT_JOINT, RIGHT_JOINT = 1, 2, 3
"""Values of `SacroiliacProfile.places`."""

_JOINT_MM = 8.0
_TOUCHING_MM = 12.0
_LEAST_HEIGHT_MM = 20.0
# The share of the sacrum's width, around its middle, that is the reference.
_MIDDLE = 0.5
_FEWEST_PIXELS = 20
_NO_POSTERIOR = "There is no posterior view."
_NO_JOINTS = "The sacrum does not touch the pelvis on both sides in the posterior view."
_MOSTLY_HOT = "Hot spots cover most of the sacrum."


class Band(NamedTuple):
    """A measured region as a part of the profile.

    Attributes
    ----------
    name : str
        ``left joint`` and ``right joint`` (the patient's sides) or ``sacrum``.
    place : int
        Its value in `SacroiliacProfile.places`.
    first, last : float
        Its ends, as `SacroiliacProfile.position`.
    ratio : float
        Its mean counts over those of the sacrum.
    """

    name: str
    place: int
    first: float
    last: float
    ratio: float


class RelativeProfile(NamedTuple):
    """A profile over the mean counts of the sacrum, to be drawn.

    Attributes
    ----------
    points : tuple of (float, float)
        Position across the sacrum, and mean counts there over those of the sacrum.
    bands : tuple of Band
        The measured regions, from the image's left to its right.
    """

    points: tuple[tuple[float, float], ...]
    bands: tuple[Band, ...]


@dataclass(frozen=True)
class SacroiliacProfile:
    """Counts across the sacrum and both sacroiliac joints.

    Attributes
    ----------
    view : int
        Index of the posterior view.
    rows : slice
        The rows of the profile.
    places : ndarray of uint8, shape (y, x)
        `SACRUM`, `LEFT_JOINT` and `RIGHT_JOINT` (the patient's sides) where they are measured, else 0.
    position : ndarray of float64, shape (n,)
        Place across the sacrum: -1 at the joint on the image's left, 0 in the middle, 1 at the joint on its right.
    counts : ndarray of float64, shape (n,)
        Mean counts of the rows at each position.
    joint_reach : float
        Half of a joint's width, in units of `position`.
    """

    view: int
    rows: slice
    places: NDArray[np.uint8]
    position: NDArray[np.float64]
    counts: NDArray[np.float64]
    joint_reach: float

    def ratio(self, scan: Scan, side: Side, hot: NDArray[np.bool_] | None = None) -> float | None:
        """Mean counts of the joint on the patient's side over those of the sacrum.

        Parameters
        ----------
        scan : Scan
            The scan of the profile.
        side : str
            ``left`` or ``right``.
        hot : ndarray of bool, shape (y, x), optional
            Pixels in hot spots; the sacrum's are left out. If they are most of the sacrum, there is no ratio.
        """
        usual = self._usual(scan, hot)
        joint = self.places == (LEFT_JOINT if side == "left" else RIGHT_JOINT)
        return float(scan.counts[self.view][joint].mean()) / usual if usual else None

    def relative(self, scan: Scan, hot: NDArray[np.bool_] | None = None) -> RelativeProfile | None:
        """The profile over the mean counts of the sacrum, with the ratios; None if there are none, see `ratio`."""
        usual, left, right = self._usual(scan, hot), self.ratio(scan, "left", hot), self.ratio(scan, "right", hot)
        if not usual or left is None or right is None:
            return None
        joints = [("left joint", LEFT_JOINT, left), ("right joint", RIGHT_JOINT, right)]
        joints.sort(key=lambda joint: float(np.nonzero(self.places == joint[1])[1].mean()))
        first, last = (
            Band(name, place, at - self.joint_reach, at + self.joint_reach, ratio)
            for at, (name, place, ratio) in zip((-1, 1), joints, strict=True)
        )
        points = zip(self.position.tolist(), (self.counts / usual).tolist(), strict=True)
        return RelativeProfile(tuple(points), (first, Band("sacrum", SACRUM, -_MIDDLE, _MIDDLE, 1.0), last))

    def _usual(self, scan: Scan, hot: NDArray[np.bool_] | None) -> float | None:
        """Mean counts of the sacrum outside hot spots; None if they cover most of it."""
        sacrum = self.places == SACRUM
        normal = sacrum if hot is None else sacrum & ~hot
        if np.count_nonzero(normal) * 2 < np.count_nonzero(sacrum):
            return None
        return float(scan.counts[self.view][normal].mean())


def sacroiliac_profile(scan: Scan, regions: NDArray[np.uint8]) -> SacroiliacProfile | str:
    """Find the sacroiliac joints and the sacrum in the posterior view; a reason in one sentence if they are not there.

    The rows are those in which the sacrum has the pelvis on both sides. Each joint is the bone up to 8 mm from the
    border between sacrum and pelvis. The reference is the middle half of the sacrum.

    Parameters
    ----------
    scan : Scan
        The scan.
    regions : ndarray of uint8, shape (view, y, x)
        Region codes.
    """
    views = [index for index, view in enumerate(scan.views) if view.name is ViewName.POSTERIOR]
    if not views:
        return _NO_POSTERIOR
    view = views[0]
    row_mm, column_mm = spacing_of(scan)
    codes = regions[view]
    edges = _edges(codes, max(1, round(_TOUCHING_MM / column_mm)))
    rows = np.flatnonzero(~np.isnan(edges[:, 0]))
    if rows.size * row_mm < _LEAST_HEIGHT_MM:
        return _NO_JOINTS
    left, right = edges[rows].T
    columns = np.arange(codes.shape[1])
    middle, half = (left + right) / 2, (right - left) / 2
    is_bone = np.isin(codes[rows], (CODES["sacrum"], CODES["pelvis"]))
    places = np.zeros(codes.shape, np.uint8)
    own = places[rows]
    own[(np.abs(columns - middle[:, None]) <= _MIDDLE * half[:, None]) & (codes[rows] == CODES["sacrum"])] = SACRUM
    image_left, image_right = (
        (RIGHT_JOINT, LEFT_JOINT) if scan.views[view].patient_left_on_image_right else (LEFT_JOINT, RIGHT_JOINT)
    )
    for edge, joint in ((left, image_left), (right, image_right)):
        own[(np.abs(columns - edge[:, None]) * column_mm <= _JOINT_MM) & is_bone & (own == 0)] = joint
    places[rows] = own
    if min(np.count_nonzero(places == place) for place in (SACRUM, LEFT_JOINT, RIGHT_JOINT)) < _FEWEST_PIXELS:
        return _NO_JOINTS
    position = np.linspace(-1.6, 1.6, 129)
    counts = np.zeros_like(position)
    for row, centre, width in zip(rows, middle, half, strict=True):
        counts += np.interp(centre + position * width, columns, scan.counts[view, row].astype(np.float64))
    return SacroiliacProfile(
        view,
        slice(int(rows[0]), int(rows[-1]) + 1),
        places,
        position,
        counts / rows.size,
        float((_JOINT_MM / (half * column_mm)).mean()),
    )


def _edges(codes: NDArray[np.uint8], reach: int) -> NDArray[np.float64]:
    """Columns of the sacrum's borders with the pelvis on its left and right in each row, (y, 2); NaN where none is."""
    edges = np.full((len(codes), 2), np.nan)
    for row in np.flatnonzero((codes == CODES["sacrum"]).any(axis=1)):
        sacrum = np.flatnonzero(codes[row] == CODES["sacrum"])
        pelvis = codes[row] == CODES["pelvis"]
        first, last = int(sacrum[0]), int(sacrum[-1])
        before = np.flatnonzero(pelvis[max(0, first - reach) : first])
        after = np.flatnonzero(pelvis[last + 1 : last + 1 + reach])
        if before.size and after.size:
            edges[row] = (
                (max(0, first - reach) + before[-1] + first) / 2,
                (last + last + 1 + after[0]) / 2,
            )
    return edges
