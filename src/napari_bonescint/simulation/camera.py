"""A dual-head gamma camera: expected counts of tracer in a body, from the front and from the back.

Sources. Attenuation: the effective linear coefficient of soft tissue at 140 keV for planar imaging, 0.12 per cm; NIST
XCOM gives 0.154 for water and a narrow beam, and accepted scatter lowers it. `Body` gives the tissue before a point,
where lung counts as thinner tissue. Resolution: a parallel-hole collimator's geometric FWHM, d (L + z) / L with hole
diameter d, effective length L and distance z, added in quadrature to the crystal's intrinsic FWHM (Cherry, Sorenson,
Phelps, Physics in Nuclear Medicine); the hole sizes of `COLLIMATORS` are typical of makers' data sheets. Scatter is a
broad Gaussian share of the primary image inside the body, by the Compton coefficient of water, 0.135 per cm (NIST
XCOM): an approximation of this module's own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from napari_bonescint.simulation.body import CELL_MM

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_bonescint.simulation.body import Body

ATTENUATION_PER_MM = 0.012
_SLAB_MM = 40.0
_SCATTER_STEP = 4
_SCATTERING_PER_MM = 0.0135
_TRUNK_MM = 200.0

COLLIMATORS: dict[str, tuple[float, float]] = {
    "high resolution": (1.15, 24.0),
    "LEHR": (1.45, 24.5),
    "LEAP": (1.9, 25.0),
    "LEGP, short holes": (2.2, 28.0),
}
"""Hole diameter and effective length in mm."""
_FWHM_TO_SIGMA = 1 / 2.3548


@dataclass(frozen=True)
class Camera:
    """One acquisition: matrix, position, collimator, crystal and scatter of a dual-head camera.

    Attributes
    ----------
    shape : (int, int)
        Rows and columns of a view, multiples of 4.
    left_mm, top_mm : float
        x of the left edge of the anterior view and z of the upper edge, in the scanner's frame.
    hole_mm, length_mm : float
        Hole diameter and effective length of the collimator.
    intrinsic_mm : float
        FWHM of the crystal.
    clearance_mm : float
        Distance of each collimator from the skin; the heads follow the body's contour.
    scatter : float
        Ratio of scattered to primary counts, in a trunk 200 mm thick.
    scatter_mm : float
        Standard deviation of the scattered counts about the primary ones.
    penetration : float
        Ratio of counts through the septa to primary counts.
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
    scatter_mm: float = 28.0
    penetration: float = 0.01

    def project_points(
        self, position: NDArray[np.float32], weight: NDArray[np.float32], plane: NDArray[np.int64], planes: int
    ) -> NDArray[np.float32]:
        """Add up weights of points (n, 3) in images (planes, y, x), seen from the front, by bilinear interpolation."""
        rows, columns = self.shape
        u = (position[:, 0] - self.left_mm) / self.pixel_mm - 0.5
        v = (self.top_mm - position[:, 2]) / self.pixel_mm - 0.5
        column, row = np.floor(u).astype(np.int64), np.floor(v).astype(np.int64)
        u, v = u - column, v - row
        weight = np.where((column < -1) | (column >= columns) | (row < -1) | (row >= rows), 0, weight)
        # A border of one pixel receives the shares beside the image.
        column, row = np.clip(column, -1, columns - 1) + 1, np.clip(row, -1, rows - 1) + 1
        width, area = columns + 2, (rows + 2) * (columns + 2)
        index = plane * area + row * width + column
        total = np.zeros(planes * area)
        for step, share in ((0, (1 - u) * (1 - v)), (1, u * (1 - v)), (width, (1 - u) * v), (width + 1, u * v)):
            total += np.bincount(index + step, weights=weight * share, minlength=total.size)[: total.size]
        return total.reshape(planes, rows + 2, columns + 2)[:, 1:-1, 1:-1].astype(np.float32)

    def expose(self, position: NDArray[np.float32], activity: NDArray[np.float32], body: Body) -> NDArray[np.float32]:
        """Expected primary counts of points: (2, y, x), anterior then posterior as the cameras see them.

        `position` (n, 3) is in mm, in the scanner's frame; `activity` (n,) is the counts without attenuation.
        """
        images = np.zeros((2, *self.shape), np.float32)
        window = self._window(position)
        if window is None:
            return images
        part = self._part(window)
        for image, depth, distance in zip(images, body.depths(position), body.distances(position), strict=True):
            seen = activity * np.exp(np.float32(-ATTENUATION_PER_MM) * depth)
            slab = (distance * np.float32(1 / _SLAB_MM)).astype(np.int64)
            first = int(slab.min())
            layers = part.project_points(position, seen, slab - first, int(slab.max()) - first + 1)
            for plane, counts in enumerate(layers):
                if counts.any():
                    sigma = self.sigma_pixels((first + plane + 0.5) * _SLAB_MM)
                    image[window] += ndimage.gaussian_filter(counts, sigma, truncate=3.0)
        images[1] = images[1, :, ::-1].copy()
        return images

    def _window(self, position: NDArray[np.float32]) -> tuple[slice, slice] | None:
        """Rows and columns that points (n, 3) and their blur can reach; None if there are none."""
        if len(position) == 0:
            return None
        low, high = position.min(axis=0), position.max(axis=0)
        border = 3 * self.sigma_pixels(300) + 1
        edges = (
            ((self.top_mm - high[2]) / self.pixel_mm, (self.top_mm - low[2]) / self.pixel_mm, self.shape[0]),
            ((low[0] - self.left_mm) / self.pixel_mm, (high[0] - self.left_mm) / self.pixel_mm, self.shape[1]),
        )
        rows, columns = (slice(max(0, int(a - border)), min(n, int(b + border) + 1)) for a, b, n in edges)
        return (rows, columns) if rows.start < rows.stop and columns.start < columns.stop else None

    def _part(self, window: tuple[slice, slice]) -> Camera:
        """The same camera with a part of its field of view, given by rows and columns."""
        rows, columns = window
        return replace(
            self,
            shape=(rows.stop - rows.start, columns.stop - columns.start),
            left_mm=self.left_mm + columns.start * self.pixel_mm,
            top_mm=self.top_mm - rows.start * self.pixel_mm,
        )

    def expose_diffuse(self, density: NDArray[np.float32], body: Body) -> NDArray[np.float32]:
        """Expected primary counts (2, y, x) of tracer with constant density from skin to skin.

        `density` (z, x) is counts of 1 mm^3 on the body's grid.
        """
        column_sum = density * (1 - np.exp(-ATTENUATION_PER_MM * body.thickness)) / ATTENUATION_PER_MM
        image = self._on_pixels(ndimage.gaussian_filter(column_sum, 0.7), body)
        image = ndimage.gaussian_filter(image, self.sigma_pixels(100)) * self.pixel_mm**2
        return np.stack([image, image[:, ::-1]]).astype(np.float32)

    def _on_pixels(self, grid: NDArray[np.float32], body: Body) -> NDArray[np.float32]:
        """Resample an image (z, x) from the body's grid to the anterior view's pixels (y, x)."""
        rows, columns = self.shape
        row = (body.z1 - (self.top_mm - (np.arange(rows) + 0.5) * self.pixel_mm)) / CELL_MM - 0.5
        column = (self.left_mm + (np.arange(columns) + 0.5) * self.pixel_mm - body.x0) / CELL_MM - 0.5
        places = np.meshgrid(row, column, indexing="ij")
        image: NDArray[np.float32] = ndimage.map_coordinates(grid, places, order=1, cval=0.0)
        return image

    def add_scatter(self, primary: NDArray[np.float32], body: Body) -> NDArray[np.float32]:
        """Add scatter to primary counts (..., view, y, x).

        Scattered photons come from the place of their scattering, so they end at the body's outline, as emitted ones
        do; photons through the collimator's septa do not.
        """
        rows, columns = (self._spread(n) for n in self.shape)
        shape = [length for n in self.shape for length in (n // _SCATTER_STEP, _SCATTER_STEP)]
        coarse = primary.reshape(*primary.shape[:-2], *shape).sum(axis=(-3, -1))
        scatters = 1 - np.exp(-_SCATTERING_PER_MM * body.thickness)
        share = self._on_pixels(scatters, body) * (self.scatter / (1 - np.exp(-_SCATTERING_PER_MM * _TRUNK_MM)))
        share = ndimage.gaussian_filter(share, self.sigma_pixels(100)) + self.penetration
        result: NDArray[np.float32] = rows @ coarse @ columns.T
        result *= np.stack([share, share[:, ::-1]]).astype(np.float32)
        result += primary
        return result

    def _spread(self, pixels: int) -> NDArray[np.float32]:
        """Share of each coarse pixel that scatters into each pixel of a line: (pixel, coarse pixel)."""
        coarse = (np.arange(pixels // _SCATTER_STEP) + 0.5) * _SCATTER_STEP
        distance = (np.arange(pixels)[:, None] + 0.5 - coarse) * self.pixel_mm / self.scatter_mm
        density = np.exp(-0.5 * distance**2) * self.pixel_mm / (np.sqrt(2 * np.pi) * self.scatter_mm)
        return np.asarray(density, np.float32)

    def sigma_pixels(self, distance_mm: float) -> float:
        """Standard deviation of the blur in pixels, for a distance below the skin."""
        z = distance_mm + self.clearance_mm
        geometric = self.hole_mm * (self.length_mm + z) / self.length_mm
        return float(np.hypot(geometric, self.intrinsic_mm) * _FWHM_TO_SIGMA / self.pixel_mm)


_FORMATS: tuple[tuple[tuple[int, int], float, float, float], ...] = (
    # Matrix, smallest and largest pixel in mm, probability.
    ((1024, 256), 1.8, 2.8, 0.86),
    ((1024, 512), 1.9, 2.4, 0.07),
    ((512, 128), 4.3, 5.0, 0.07),
)


def draw_camera(rng: np.random.Generator, position: NDArray[np.float32]) -> Camera:
    """Draw a camera and its field of view for posed points (n, 3)."""
    chosen = int(rng.choice(len(_FORMATS), p=[probability for *_, probability in _FORMATS]))
    shape, smallest, largest, _ = _FORMATS[chosen]
    low, high = position.min(axis=0), position.max(axis=0)
    height = float(high[2] - low[2])
    # Most scans show the whole body; sometimes the vertex or the toes are cut off.
    cut_off = rng.random() < 0.12
    least = smallest if cut_off else max(smallest, (height + 40) / shape[0])
    pixel_mm = float(rng.uniform(min(least, largest), largest)) if rng.random() < 0.5 else max(least, 2.2)
    pixel_mm = float(np.clip(pixel_mm * rng.uniform(1, 1.04), smallest, largest))
    spare = shape[0] * pixel_mm - height
    above = rng.uniform(-70, 40) if cut_off else rng.uniform(0.1, 0.9 if rng.random() < 0.3 else 0.4) * spare
    middle = float(np.median(position[:, 0])) + rng.normal(0, 14)
    hole_mm, length_mm = list(COLLIMATORS.values())[rng.choice(len(COLLIMATORS), p=[0.15, 0.55, 0.22, 0.08])]
    return Camera(
        shape,
        pixel_mm,
        left_mm=middle - shape[1] * pixel_mm / 2,
        top_mm=float(high[2]) + above,
        hole_mm=hole_mm * float(rng.uniform(0.93, 1.07)),
        length_mm=length_mm,
        intrinsic_mm=float(rng.uniform(3.3, 4.5)),
        clearance_mm=float(rng.uniform(10, 60)),
        scatter=float(rng.uniform(0.1, 0.4)),
        scatter_mm=float(rng.uniform(20, 36)),
        penetration=float(np.exp(rng.uniform(np.log(0.005), np.log(0.12)))),
    )
