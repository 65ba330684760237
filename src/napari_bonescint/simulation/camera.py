"""A dual-head gamma camera: what it counts of tracer in a body, from the front and from the back at once.

Sources. Attenuation: the effective linear coefficient of soft tissue at 140 keV for planar imaging, 0.12 per cm; NIST
XCOM gives 0.154 for water and a narrow beam, which accepted scatter lowers. Lung is not told from other tissue.
Resolution: a parallel-hole collimator's geometric FWHM, d (L + z) / L with hole diameter d, effective length L and
distance z, added in quadrature to the crystal's intrinsic FWHM (Cherry, Sorenson, Phelps, Physics in Nuclear
Medicine). Scatter is a broad Gaussian share of the primary image: an approximation of this module's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from napari_bonescint.simulation.body import CELL_MM

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_bonescint.simulation.body import Body

ATTENUATION_PER_MM = 0.012
_SLAB_MM = 25.0
_FWHM_TO_SIGMA = 1 / 2.3548


@dataclass(frozen=True)
class Camera:
    """One acquisition.

    Attributes
    ----------
    shape : (int, int)
        Rows and columns of a view.
    pixel_mm : float
        Pixel size.
    left_mm, top_mm : float
        x of the left edge of the anterior view and z of the upper edge, scanner's frame.
    hole_mm, length_mm : float
        Collimator's hole diameter and effective length.
    intrinsic_mm : float
        FWHM of the crystal.
    clearance_mm : float
        From each collimator to the level of the skin; the heads follow the body's contour.
    scatter : float
        Scattered over primary counts.
    """

    shape: tuple[int, int]
    pixel_mm: float
    left_mm: float
    top_mm: float
    hole_mm: float = 1.4
    length_mm: float = 24.0
    intrinsic_mm: float = 3.8
    clearance_mm: float = 30.0
    scatter: float = 0.25

    def splat(
        self, position: NDArray[np.float32], weight: NDArray[np.float32], plane: NDArray[np.int64], planes: int
    ) -> NDArray[np.float32]:
        """Add up weights of points (n, 3) in images (planes, y, x), seen from the front, bilinearly."""
        rows, columns = self.shape
        u = (position[:, 0] - self.left_mm) / self.pixel_mm - 0.5
        v = (self.top_mm - position[:, 2]) / self.pixel_mm - 0.5
        column, row = np.floor(u).astype(np.int64), np.floor(v).astype(np.int64)
        u, v = u - column, v - row
        weight = np.where((column < -1) | (column >= columns) | (row < -1) | (row >= rows), 0, weight)
        # A border of one pixel takes the shares that fall just beside the image.
        column, row = np.clip(column, -1, columns - 1) + 1, np.clip(row, -1, rows - 1) + 1
        width, area = columns + 2, (rows + 2) * (columns + 2)
        index = plane * area + row * width + column
        total = np.zeros(planes * area)
        for step, share in ((0, (1 - u) * (1 - v)), (1, u * (1 - v)), (width, (1 - u) * v), (width + 1, u * v)):
            total += np.bincount(index + step, weights=weight * share, minlength=total.size)[: total.size]
        return total.reshape(planes, rows + 2, columns + 2)[:, 1:-1, 1:-1].astype(np.float32)

    def expose(self, position: NDArray[np.float32], activity: NDArray[np.float32], body: Body) -> NDArray[np.float32]:
        """Expected primary counts of points: (2, y, x), anterior then posterior as the cameras see them.

        Parameters
        ----------
        position : ndarray of float32, shape (n, 3)
            mm, scanner's frame.
        activity : ndarray of float32, shape (n,)
            Counts that would be seen without attenuation.
        body : Body
        """
        images = []
        for depth, distance, mirrored in zip(
            body.depths(position), body.distances(position), (False, True), strict=True
        ):
            seen = activity * np.exp(-ATTENUATION_PER_MM * depth)
            slabs = int(distance.max() // _SLAB_MM) + 1
            planes = self.splat(position, seen, (distance // _SLAB_MM).astype(np.int64), slabs)
            image = np.zeros(self.shape, np.float32)
            for slab, plane in enumerate(planes):
                if plane.any():
                    image += ndimage.gaussian_filter(plane, self.sigma_pixels((slab + 0.5) * _SLAB_MM))
            images.append(image[:, ::-1] if mirrored else image)
        return np.stack(images)

    def glow(self, density: NDArray[np.float32], body: Body) -> NDArray[np.float32]:
        """Expected primary counts of tracer spread evenly from skin to skin: (2, y, x).

        Parameters
        ----------
        density : ndarray of shape (z, x)
            Counts of 1 mm^3 on the body's grid.
        body : Body
        """
        thickness = body.thickness
        column_sum = density * (1 - np.exp(-ATTENUATION_PER_MM * thickness)) / ATTENUATION_PER_MM
        rows, columns = self.shape
        row = (body.z1 - (self.top_mm - (np.arange(rows) + 0.5) * self.pixel_mm)) / CELL_MM - 0.5
        column = (self.left_mm + (np.arange(columns) + 0.5) * self.pixel_mm - body.x0) / CELL_MM - 0.5
        image = ndimage.map_coordinates(
            ndimage.gaussian_filter(column_sum, 0.7), np.meshgrid(row, column, indexing="ij"), order=1, cval=0.0
        )
        image = ndimage.gaussian_filter(image, self.sigma_pixels(100)) * self.pixel_mm**2
        return np.stack([image, image[:, ::-1]]).astype(np.float32)

    def add_scatter(self, primary: NDArray[np.float32]) -> NDArray[np.float32]:
        """Primary counts (2, y, x) with their scatter."""
        coarse = ndimage.zoom(primary, (1, 0.25, 0.25), order=1)
        coarse = ndimage.gaussian_filter(coarse, (0, *[28 / self.pixel_mm / 4] * 2))
        factors = (1, *(n / c for n, c in zip(primary.shape[1:], coarse.shape[1:], strict=True)))
        broad = ndimage.zoom(coarse, factors, order=1)
        result: NDArray[np.float32] = primary + np.float32(self.scatter) * broad
        return result

    def sigma_pixels(self, distance_mm: float) -> float:
        """Standard deviation of the blur in pixels at a distance below the level of the skin."""
        z = distance_mm + self.clearance_mm
        geometric = self.hole_mm * (self.length_mm + z) / self.length_mm
        return float(np.hypot(geometric, self.intrinsic_mm) * _FWHM_TO_SIGMA / self.pixel_mm)
