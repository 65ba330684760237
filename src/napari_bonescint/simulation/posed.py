"""A posed skeleton, with the positions of its bones, their ends and landmarks."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_bonescint.anatomy import CODES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_bonescint.simulation.geometry import BonePoints

SIDES = ("left", "right")
_END_MM = 12.0


class Spot(NamedTuple):
    """A Gaussian of tracer.

    `centre` (3,) is in mm, in the scanner's frame. `gain` is added at the centre; it is negative for a cold spot.
    `width` is the standard deviation in mm, along x, y and z if they differ.
    """

    centre: NDArray[np.float32]
    gain: float
    width: float | Sequence[float]


class PosedBones:
    """Bone points of one patient in a pose: `position` (n, 3), mm, scanner's frame; `left` (n,), true on the left."""

    def __init__(self, points: BonePoints, position: NDArray[np.float32], left: NDArray[np.bool_]) -> None:
        self.points = points
        self.position = position
        self.left = left
        self._indices: dict[tuple[str, str | None], NDArray[np.intp]] = {}

    def indices(self, region: str, side: str | None = None) -> NDArray[np.intp]:
        """Indices of a region's points, on one of `SIDES` or on both."""
        key = (region, side)
        if key not in self._indices:
            if side is None:
                self._indices[key] = np.flatnonzero(self.points.region == CODES[region])
            else:
                both = self.indices(region)
                self._indices[key] = both[self.left[both] == (side == "left")]
        return self._indices[key]

    def of(self, region: str, side: str | None = None) -> NDArray[np.float32]:
        """Positions (k, 3) of a region's points, in mm, in the scanner's frame."""
        return self.position[self.indices(region, side)]

    def middle(self, region: str, side: str | None = None) -> NDArray[np.float32]:
        """The mean position (3,) of a region's points."""
        return np.asarray(self.of(region, side).mean(axis=0))

    def end(self, region: str, side: str | None, upper: bool) -> NDArray[np.float32]:
        """The mean position (3,) of the points at a region's upper or lower end."""
        own = self.of(region, side)
        z = own[:, 2]
        near = z > z.max() - _END_MM if upper else z < z.min() + _END_MM
        return np.asarray(own[near].mean(axis=0))

    def hip(self, side: str) -> NDArray[np.float32]:
        """The centre (3,) of a femoral head."""
        femur = self.of("femur", side)
        upper = femur[femur[:, 2] > femur[:, 2].max() - 0.1 * np.ptp(femur[:, 2])]
        medial = upper[:, 0] * outward(side)
        return np.asarray(upper[medial <= np.quantile(medial, 0.5)].mean(axis=0))

    def extreme(self, region: str, side: str | None, direction: tuple[float, float, float]) -> NDArray[np.float32]:
        """The farthest point of a region in a direction; with a side, x points outwards from the middle."""
        own = self.of(region, side)
        along = np.array(direction, np.float32) * (1 if side is None else (outward(side), 1, 1))
        return np.asarray(own[(own @ along.astype(np.float32)).argmax()])

    def pieces(self, region: str) -> list[NDArray[np.intp]]:
        """Points of each separate bone of a region, from the uppermost bone down."""
        own = self.indices(region)
        piece = self.points.piece[own]
        parts = [own[piece == number] for number in np.unique(piece)]
        return sorted(parts, key=lambda part: -float(self.position[part, 2].mean()))

    @cached_property
    def _by_height(self) -> tuple[NDArray[np.intp], tuple[NDArray[np.float32], ...]]:
        order = np.argsort(self.position[:, 2])
        return order, tuple(np.ascontiguousarray(column) for column in self.position[order].T)

    def add_up(self, spots: Sequence[Spot]) -> NDArray[np.float32]:
        """The sum of spots at each point, (n,)."""
        order, (x, y, z) = self._by_height
        ordered = np.zeros(len(order), np.float32)
        for centre, gain, width in spots:
            sigma = np.broadcast_to(np.asarray(width, np.float32), 3)
            near = slice(*np.searchsorted(z, (centre[2] - 3 * sigma[2], centre[2] + 3 * sigma[2])))
            exponent = ((x[near] - centre[0]) / sigma[0]) ** 2
            exponent += ((y[near] - centre[1]) / sigma[1]) ** 2
            exponent += ((z[near] - centre[2]) / sigma[2]) ** 2
            ordered[near] += np.float32(gain) * np.exp(np.float32(-0.5) * exponent)
        total = np.empty_like(ordered)
        total[order] = ordered
        return total


def outward(side: str) -> float:
    """Sign of x away from the body's middle on a side."""
    return 1.0 if side == "left" else -1.0
