"""Soft tissue around a posed skeleton: how deep a point lies below the skin, and organs that take or excrete tracer.

The body is a union of ellipses, row by row along z, one for each body part, around the part's bones with a margin of
soft tissue. The margins are this module's own, chosen so that outlines agree with scans of slim to obese patients.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import ndimage

from napari_bonescint.anatomy import CODES

if TYPE_CHECKING:
    from numpy.typing import NDArray

CELL_MM = 6.0
_HEAD_MM = 240.0


class _Part(NamedTuple):
    regions: tuple[str, ...]
    lateral_mm: float
    depth_mm: float
    fattens: float
    bridge_mm: float
    tapers: float = 0.0


_PARTS: tuple[_Part, ...] = (
    _Part(("skull",), 7, 8, 0.1, 10),
    _Part(("skull", "cervical_spine"), 8, 15, 0.3, 120),
    _Part(("thoracic_spine", "lumbar_spine", "sacrum", "ribs", "sternum", "pelvis"), 16, 18, 1.2, 160),
    _Part(("clavicle", "scapula"), 10, 14, 0.5, 10),
    _Part(("humerus",), 22, 26, 0.5, 20, 0.3),
    _Part(("forearm",), 15, 18, 0.3, 20, 0.5),
    _Part(("hand",), 6, 8, 0.1, 10),
    _Part(("femur",), 42, 48, 0.45, 20, 0.65),
    _Part(("lower_leg",), 22, 28, 0.4, 20, 0.6),
    _Part(("foot",), 8, 9, 0.1, 10),
)
_PAIRED = frozenset({"clavicle", "humerus", "forearm", "hand", "femur", "lower_leg", "foot"})


class Body(NamedTuple):
    """Where the skin is, on a grid of `CELL_MM`.

    Attributes
    ----------
    front, back : ndarray of float32, shape (z, x)
        y of the skin in mm; front is infinite and back minus infinite beside the body.
    x0, z1 : float
        The grid's left edge and upper edge in mm; rows go down.
    """

    front: NDArray[np.float32]
    back: NDArray[np.float32]
    x0: float
    z1: float

    @property
    def thickness(self) -> NDArray[np.float32]:
        """Tissue from front to back in mm, 0 beside the body."""
        thickness: NDArray[np.float32] = np.maximum(self.back - self.front, 0)
        return thickness

    def depths(self, position: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Tissue in mm before points (n, 3) as the anterior and as the posterior camera sees them."""
        row = self._row(position)
        column = np.clip(((position[:, 0] - self.x0) / CELL_MM).astype(np.int32), 0, self.front.shape[1] - 1)
        anterior = np.maximum(position[:, 1] - self.front[row, column], 0)
        posterior = np.maximum(self.back[row, column] - position[:, 1], 0)
        return anterior, posterior

    def distances(self, position: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """How far in mm points (n, 3) lie behind the levels of the skin that the anterior and posterior heads follow.

        A head is a plate as long as `_HEAD_MM`, so it keeps to the nearest skin over that length.
        """
        length = round(_HEAD_MM / CELL_MM)
        row = self._row(position)
        nearest, farthest = self.front.min(axis=1), self.back.max(axis=1)
        known = np.flatnonzero(np.isfinite(nearest))
        rows = np.arange(len(nearest))
        front = ndimage.minimum_filter1d(np.interp(rows, known, nearest[known]), length)
        back = ndimage.maximum_filter1d(np.interp(rows, known, farthest[known]), length)
        anterior = np.maximum(position[:, 1] - ndimage.gaussian_filter1d(front, length / 3)[row], 0)
        posterior = np.maximum(ndimage.gaussian_filter1d(back, length / 3)[row] - position[:, 1], 0)
        return anterior.astype(np.float32), posterior.astype(np.float32)

    def _row(self, position: NDArray[np.float32]) -> NDArray[np.int32]:
        """The grid's row of each point (n, 3)."""
        row: NDArray[np.int32] = np.clip(
            ((self.z1 - position[:, 2]) / CELL_MM).astype(np.int32), 0, len(self.front) - 1
        )
        return row


def wrap(position: NDArray[np.float32], region: NDArray[np.uint8], left: NDArray[np.bool_], fat: float) -> Body:
    """Wrap posed bones in soft tissue.

    Parameters
    ----------
    position : ndarray of shape (n, 3)
        Bone points in the scanner's frame, mm.
    region : ndarray of shape (n,)
        Their region codes.
    left : ndarray of bool, shape (n,)
        Whether a point belongs to the patient's left side.
    fat : float
        0 for a slim patient, about 1 for an overweight and 3 for an obese one.
    """
    low, high = position.min(axis=0) - 150, position.max(axis=0) + 150
    columns, rows = (int(np.ceil((high[axis] - low[axis]) / CELL_MM)) for axis in (0, 2))
    front = np.full((rows, columns), np.inf, np.float32)
    back = np.full((rows, columns), -np.inf, np.float32)
    x = low[0] + (np.arange(columns) + 0.5) * CELL_MM
    for part in _PARTS:
        member = np.isin(region, [CODES[name] for name in part.regions])
        sides = (left, ~left) if part.regions[0] in _PAIRED else (np.ones_like(left),)
        for side in sides:
            points = position[member & side][::7]
            if len(points) == 0:
                continue
            ellipse = _rows_of_ellipses(points, float(high[2]), rows, part, fat)
            across = (x - ellipse[:, :1]) / ellipse[:, 1:2]
            reach = np.where(np.abs(across) < 1, np.sqrt(np.maximum(1 - across**2, 0)), np.nan) * ellipse[:, 3:4]
            front = np.fmin(front, ellipse[:, 2:3] - reach).astype(np.float32)
            back = np.fmax(back, ellipse[:, 2:3] + reach).astype(np.float32)
    return Body(front, back, float(low[0]), float(high[2]))


def _rows_of_ellipses(
    points: NDArray[np.float32], z1: float, rows: int, part: _Part, fat: float
) -> NDArray[np.float64]:
    """Centre x, half width, centre y, half depth (rows, 4) around points; not a number in rows without any."""
    row = np.clip(((z1 - points[:, 2]) / CELL_MM).astype(np.int64), 0, rows - 1)
    extents = np.full((rows, 4), -np.inf)
    for column, values in enumerate((points[:, 0], -points[:, 0], points[:, 1], -points[:, 1])):
        np.maximum.at(extents[:, column], row, values)
    present = np.isfinite(extents[:, 0])
    first, last = np.flatnonzero(present)[[0, -1]]
    inside = slice(first, last + 1)
    known = np.flatnonzero(present)
    reach = max(1, round(part.bridge_mm / CELL_MM))
    for column in range(4):
        values = np.interp(np.arange(first, last + 1), known, extents[known, column])
        values = ndimage.grey_closing(values, size=(reach,), mode="nearest")
        extents[inside, column] = ndimage.gaussian_filter1d(values, 2 + reach / 8, mode="nearest")
    taper = 1 - part.tapers * np.clip((np.arange(rows) - first) / (last - first + 1), 0, 1)
    margin = np.outer([part.lateral_mm, part.depth_mm], taper) * (1 + fat * part.fattens)
    # Tissue goes on a little beyond the first and the last bone, and is rounded there.
    end = max(2, round(part.depth_mm * 0.6 / CELL_MM))
    roundness = np.ones(rows)
    for edge, direction in ((first, -1), (last, 1)):
        for step in range(1, end + 1):
            row_beyond = edge + direction * step
            if 0 <= row_beyond < rows:
                extents[row_beyond] = extents[edge]
                roundness[row_beyond] = np.sqrt(1 - (step / (end + 1)) ** 2)
    right, negative_left, rear, negative_front = extents.T
    with np.errstate(invalid="ignore"):
        return np.stack(
            [
                (right - negative_left) / 2,
                ((right + negative_left) / 2 + margin[0]) * roundness,
                (rear - negative_front) / 2,
                ((rear + negative_front) / 2 + margin[1]) * roundness,
            ],
            axis=1,
        )


class Organs(NamedTuple):
    """Tracer outside bone, as points.

    Attributes
    ----------
    position : ndarray of float32, shape (n, 3)
        mm, scanner's frame.
    activity : ndarray of float32, shape (n,)
        In the unit of bone activity: counts of 1 mm^3 of ordinary bone.
    """

    position: NDArray[np.float32]
    activity: NDArray[np.float32]


def draw_organs(rng: np.random.Generator, centres: dict[str, NDArray[np.float32]], size: float) -> Organs:
    """Random bladder, kidneys, injection site and contamination.

    Parameters
    ----------
    rng : numpy.random.Generator
    centres : dict of str to ndarray of shape (3,)
        Middle of ``lumbar_spine``, ``pelvis``, and of the left and right ``forearm`` and ``hand`` (``forearm_l`` ...).
    size : float
        The patient's scale.
    """
    blobs: list[tuple[NDArray[np.float64], NDArray[np.float64], float]] = []
    pelvis, lumbar = centres["pelvis"].astype(float), centres["lumbar_spine"].astype(float)
    volume = rng.uniform(0.3, 1.6)
    bladder = np.array([27, 24, 22]) * size * volume ** (1 / 3) * rng.uniform(0.8, 1.25, 3)
    hot = float(np.exp(rng.normal(0.6, 1.1)))
    blobs.append(
        (pelvis + size * np.array([rng.normal(0, 5), rng.uniform(-25, -5), rng.uniform(-25, 0)]), bladder, hot)
    )
    for side in (-1, 1):
        if rng.random() < 0.95:
            kidney = np.array([24, 20, 46]) * size * rng.uniform(0.85, 1.15, 3)
            place = lumbar + size * np.array([side * rng.uniform(52, 70), rng.uniform(0, 20), rng.uniform(20, 70)])
            blobs.append((place, kidney, float(np.exp(rng.normal(-0.9, 0.6)))))
    if rng.random() < 0.5:
        site = centres[rng.choice(["forearm_l", "forearm_r", "hand_l", "hand_r"])].astype(float)
        place = site + rng.normal(0, (8, 8, 40))
        blobs.append((place, rng.uniform(3, 10, 3) * (1, 1, 2), float(np.exp(rng.normal(2.0, 1.3)))))
    for _ in range(rng.poisson(0.25)):
        place = pelvis + np.array([rng.normal(0, 40), -60, rng.uniform(-140, -60)])
        blobs.append((place, np.array([12.0, 4, 10]) * rng.uniform(0.5, 2, 3), float(np.exp(rng.normal(0.5, 1)))))
    positions, activities = [], []
    for place, radii, density in blobs:
        volume_mm3 = 4 / 3 * np.pi * float(np.prod(radii))
        count = int(np.clip(volume_mm3 / 10, 200, 8000))
        direction = rng.normal(size=(count, 3))
        direction *= (rng.random((count, 1)) ** (1 / 3)) / np.linalg.norm(direction, axis=1, keepdims=True)
        positions.append(place + direction * radii)
        activities.append(np.full(count, density * volume_mm3 / count))
    return Organs(np.concatenate(positions).astype(np.float32), np.concatenate(activities).astype(np.float32))
