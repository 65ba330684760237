"""Soft tissue around a posed skeleton: the depth of a point below the skin, and the lungs.

The body is a union of ellipses in each row along z, one for each body part, around the part's bones with a margin of
soft tissue. A body on a table is flattened, so superellipses, which are squarer, are used. The margins are this
module's own choice, so that outlines agree with scans of slim to obese patients. Lungs attenuate less: 0.26 g/cm^3
(ICRU 44), and 1.0 for other tissue. The effective share used here is higher, because heart, vessels and the denser
bases of the lungs are included.
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
_LUNG_TISSUE = 0.45
_LUNG_FROM_MIDDLE_MM = 28.0
_CHEST_WALL_MM = 12.0


class _Part(NamedTuple):
    """Margins of soft tissue around a body part's bones.

    `profile` scales them at the part's upper end, at a third of its length, and at its lower end. `inwards_mm` is an
    additional margin towards the other side, and `below_mm` one below the last bone.
    """

    regions: tuple[str, ...]
    lateral_mm: float
    depth_mm: float
    fattens: float
    bridge_mm: float
    profile: tuple[float, float, float] = (1.0, 1.0, 1.0)
    inwards_mm: float = 0.0
    below_mm: float = 0.0


_TRUNK = ("thoracic_spine", "lumbar_spine", "sacrum", "ribs", "sternum", "pelvis")
_PARTS: tuple[_Part, ...] = (
    _Part(("skull",), 7, 8, 0.1, 10),
    _Part(("cervical_spine",), 24, 24, 0.4, 60, (0.9, 1.0, 2.2)),
    _Part(_TRUNK, 22, 20, 1.2, 220, (1.0, 1.0, 0.8), below_mm=42),
    _Part(("clavicle", "scapula"), 10, 14, 0.5, 10),
    _Part(("humerus",), 27, 30, 0.5, 20, (1.0, 1.0, 0.6)),
    _Part(("forearm",), 18, 20, 0.3, 20, (0.7, 1.0, 0.45)),
    _Part(("hand",), 6, 8, 0.1, 10),
    _Part(("femur",), 46, 56, 0.45, 20, (0.55, 1.0, 0.3), 26),
    _Part(("lower_leg",), 29, 34, 0.4, 20, (0.45, 1.0, 0.35)),
    _Part(("foot",), 8, 9, 0.1, 10),
)
_PAIRED = frozenset({"clavicle", "humerus", "forearm", "hand", "femur", "lower_leg", "foot"})


class Body(NamedTuple):
    """Surface of the body and of the lungs on a grid (z, x) of `CELL_MM`.

    `front` and `back` are y of the skin in mm; outside the body, front is infinite and back minus infinite.
    `lung_front` and `lung_back` are y of the lungs in mm, both 0 outside the lungs. `x0` and `z1` are the left and the
    upper edge of the grid in mm; rows go down.
    """

    front: NDArray[np.float32]
    back: NDArray[np.float32]
    lung_front: NDArray[np.float32]
    lung_back: NDArray[np.float32]
    x0: float
    z1: float

    @property
    def thickness(self) -> NDArray[np.float32]:
        """Tissue from front to back in mm, 0 outside the body."""
        return np.asarray(np.maximum(self.back - self.front, 0))

    @property
    def lung(self) -> NDArray[np.float32]:
        """Lung from front to back in mm."""
        return np.asarray(self.lung_back - self.lung_front)

    def depths(self, position: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Tissue in mm between points (n, 3) and the anterior and the posterior camera.

        Lung counts as the thinner layer of tissue with the same attenuation.
        """
        row = self._row(position)
        column = np.clip(((position[:, 0] - self.x0) / CELL_MM).astype(np.int32), 0, self.front.shape[1] - 1)
        cell = row * np.int32(self.front.shape[1]) + column
        y = position[:, 1]
        anterior = np.maximum(y - self.front.ravel()[cell], 0)
        posterior = np.maximum(self.back.ravel()[cell] - y, 0)
        lung_front, lung_back = self.lung_front.ravel()[cell], self.lung_back.ravel()[cell]
        spared = np.float32(1 - _LUNG_TISSUE)
        anterior -= spared * (np.clip(y, lung_front, lung_back) - lung_front)
        posterior -= spared * (lung_back - np.clip(y, lung_front, lung_back))
        return anterior, posterior

    def distances(self, position: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Distance in mm of points (n, 3) from the surfaces that the anterior and posterior heads follow.

        A head is a plate of length `_HEAD_MM`, so it follows the nearest skin over that length.
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
        """Row of the grid for each point (n, 3)."""
        return np.clip(((self.z1 - position[:, 2]) / CELL_MM).astype(np.int32), 0, len(self.front) - 1)


def wrap(
    position: NDArray[np.float32],
    region: NDArray[np.uint8],
    left: NDArray[np.bool_],
    fat: float,
    squareness: float = 2.0,
) -> Body:
    """Wrap posed bones in soft tissue.

    `position` (n, 3) is in mm in the scanner's frame; `region` and `left` (n,) are the points' region codes and sides.
    `fat` is 0 for a slim patient, about 1 for an overweight and 3 for an obese one. `squareness` is the exponent of the
    superellipses: 2 for ellipses, more for squarer ones.
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
            outwards = float(np.sign(points[:, 0].mean() - position[:, 0].mean()))
            ellipse = _rows_of_ellipses(points, float(high[2]), rows, part, fat, outwards)
            across = (x - ellipse[:, :1]) / ellipse[:, 1:2]
            height = np.maximum(1 - np.abs(across) ** squareness, 0) ** (1 / squareness)
            reach = np.where(np.abs(across) < 1, height, np.nan) * ellipse[:, 3:4]
            front = np.fmin(front, ellipse[:, 2:3] - reach).astype(np.float32)
            back = np.fmax(back, ellipse[:, 2:3] + reach).astype(np.float32)
    return Body(front, back, *_lungs(position, region, float(high[2]), rows, x), float(low[0]), float(high[2]))


def _lungs(
    position: NDArray[np.float32], region: NDArray[np.uint8], z1: float, rows: int, x: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Front and back (z, x) of both lungs: the space of the ribs above the diaphragm, without the mediastinum."""
    front, back = np.zeros((2, rows, len(x)), np.float32)
    ribs = position[region == CODES["ribs"]][::7]
    if len(ribs) == 0:
        return front, back
    chest = _Part(("ribs",), -_CHEST_WALL_MM, -_CHEST_WALL_MM, 0.0, 160)
    centre_x, half_width, centre_y, half_depth = _rows_of_ellipses(ribs, z1, rows, chest, 0.0, 0.0).T[:, :, None]
    z = z1 - (np.arange(rows)[:, None] + 0.5) * CELL_MM
    low, high = float(ribs[:, 2].min()), float(ribs[:, 2].max())
    # The dome of the diaphragm over liver and stomach declines towards the sides.
    across = (x - centre_x) / half_width
    dome = low + (high - low) * (0.48 - 0.25 * across**2)
    inside = (np.abs(across) < 1) & (np.abs(x - centre_x) > _LUNG_FROM_MIDDLE_MM) & (z > dome) & (z < high - 15)
    reach = half_depth * np.sqrt(np.maximum(1 - across**2, 0))
    return (
        np.where(inside, centre_y - reach, 0).astype(np.float32),
        np.where(inside, centre_y + reach, 0).astype(np.float32),
    )


def _rows_of_ellipses(
    points: NDArray[np.float32], z1: float, rows: int, part: _Part, fat: float, outwards: float
) -> NDArray[np.float64]:
    """Centre x, half width, centre y, half depth (rows, 4) of ellipses around points; NaN in rows without points."""
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
        extents[inside, column] = ndimage.gaussian_filter1d(values, 1 + reach / 6, mode="nearest")
    share = (np.arange(rows) - first) / (last - first + 1)
    scale = np.interp(share, (0, 1 / 3, 1), part.profile)
    margin = np.outer([part.lateral_mm, part.depth_mm], scale) * (1 + fat * part.fattens)
    # Tissue extends a little beyond the first and the last bone, and is rounded there.
    end = max(2, round(part.depth_mm * 0.6 / CELL_MM))
    roundness = np.ones(rows)
    for edge, direction, length in ((first, -1, end), (last, 1, end + round(part.below_mm / CELL_MM))):
        for step in range(1, length + 1):
            row_beyond = edge + direction * step
            if 0 <= row_beyond < rows:
                extents[row_beyond] = extents[edge]
                roundness[row_beyond] = np.sqrt(1 - (step / (length + 1)) ** 2)
    right, negative_left, rear, negative_front = extents.T
    inwards = part.inwards_mm / 2 * scale
    with np.errstate(invalid="ignore"):
        return np.stack(
            [
                (right - negative_left) / 2 - outwards * inwards,
                ((right + negative_left) / 2 + margin[0] + inwards) * roundness,
                (rear - negative_front) / 2,
                ((rear + negative_front) / 2 + margin[1]) * roundness,
            ],
            axis=1,
        )
