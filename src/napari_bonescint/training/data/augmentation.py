"""Random augmentation of training views: deformation, spots in soft tissue, saving as a picture, narrow views."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from numpy.typing import NDArray

_WAVES_DOWN, _WAVES_ACROSS = (150.0, 900.0), (120.0, 600.0)
_GLOW_ALONG, _GLOW_ACROSS = (4.0, 18.0), (2.0, 7.0)
_GLOW_STRENGTH = (0.2, 1.2)
_NARROWER = (-0.02, 0.22)


def bend(
    mean: NDArray[np.float32], regions: NDArray[np.uint8], rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Rotate an image and its regions by a small angle, and deform them smoothly."""
    rows, columns = mean.shape
    y, x = (np.arange(n, dtype=np.float32) - n / 2 for n in (rows, columns))
    angle, lean = rng.normal(0, 0.025), rng.normal(0, 0.03)
    amplitude = abs(rng.normal(0, 5))
    source = np.stack(
        [
            y[:, None] * np.cos(angle) - x * np.sin(angle) + rows / 2 + _waves(y, x, amplitude, rng),
            x + y[:, None] * np.sin(angle + lean) + columns / 2 + _waves(y, x, amplitude, rng),
        ]
    )
    bent = ndimage.map_coordinates(mean, source, order=1, prefilter=False)
    return bent, ndimage.map_coordinates(regions, source, order=0, prefilter=False)


def _waves(
    y: NDArray[np.float32], x: NDArray[np.float32], amplitude: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """A smooth random shift in pixels at y (rows,) and x (columns,), as a sum of waves."""
    count = 4
    down, across = (
        np.sin(np.outer(2 * np.pi / rng.uniform(*wavelengths, count), place) + rng.uniform(0, 6.3, (count, 1)))
        for place, wavelengths in ((y, _WAVES_DOWN), (x, _WAVES_ACROSS))
    )
    shift: NDArray[np.float32] = (down.T * rng.normal(0, amplitude, count)).astype(np.float32) @ across.astype(
        np.float32
    )
    return shift


def as_picture(image: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Change counts as a viewer does when it saves a picture: optional smoothing, clipping, gamma, 8 bits."""
    if rng.random() < 0.5:
        image = ndimage.gaussian_filter(image, rng.uniform(0.3, 1.3))
    top = max(float(np.quantile(image, rng.uniform(0.985, 0.9999))), 1e-3)
    bottom = rng.uniform(0, 0.08) if rng.random() < 0.3 else 0.0
    bent = np.clip(image / top - bottom, 0, 1) ** rng.uniform(0.6, 1.6)
    result: NDArray[np.float32] = np.round(255 * bent, 0).astype(np.float32)
    return result


def glow(mean: NDArray[np.float32], regions: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.float32]:
    """Add one to three smooth spots in soft tissue, like skin folds, muscle and tracer on the skin.

    Parameters
    ----------
    mean : ndarray of float32, shape (y, x)
        Expected counts.
    regions : ndarray of uint8, shape (y, x)
        True region codes. The centre of each spot is in soft tissue; the spot may overlap bone.
    rng : Generator

    Returns
    -------
    ndarray of float32, shape (y, x)
        Expected counts with the spots.
    """
    bone = regions > 0
    if not bone.any():
        return mean
    usual = mean[bone].mean()
    middles = np.flatnonzero(~bone & (mean > 0.2 * usual) & (mean < usual))
    if middles.size == 0:
        return mean
    glowing = mean.copy()
    for middle in rng.choice(middles, rng.integers(1, 4)):
        row, column = divmod(int(middle), mean.shape[1])
        along, across = rng.uniform(*_GLOW_ALONG), rng.uniform(*_GLOW_ACROSS)
        reach = int(3 * along)
        rows = slice(max(0, row - reach), row + reach + 1)
        columns = slice(max(0, column - reach), column + reach + 1)
        y = np.arange(mean.shape[0])[rows, None] - row
        x = np.arange(mean.shape[1])[columns] - column
        angle = rng.normal(0, 0.6)
        down, aside = y * np.cos(angle) + x * np.sin(angle), x * np.cos(angle) - y * np.sin(angle)
        spot = np.exp(-0.5 * ((down / along) ** 2 + (aside / across) ** 2))
        glowing[rows, columns] += np.float32(rng.uniform(*_GLOW_STRENGTH) * mean[row, column]) * spot
    return glowing


def narrow(
    image: NDArray[np.float32], regions: NDArray[np.uint8], rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Crop columns on one side or both, up to a fifth of the skeleton's width, like a narrow field of view."""
    occupied = np.flatnonzero(regions.any(axis=0))
    if occupied.size == 0:
        return image, regions
    low, high = int(occupied[0]), int(occupied[-1]) + 1
    sides = [(1, 1), (1, 0), (0, 1)][rng.integers(3)]
    inward = [round(side * rng.uniform(*_NARROWER) * (high - low)) for side in sides]
    left = max(0, low + inward[0]) if sides[0] else 0
    right = high - inward[1] if sides[1] else image.shape[1]
    return image[:, left:right], regions[:, left:right]
