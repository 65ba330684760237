"""Training examples from simulated cases: random counts and augmentation, resampled to the network's grid."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_bonescint.inference.preprocessing import Grid, normalise
from napari_bonescint.simulation.case import SOURCES
from napari_bonescint.training.data.augmentation import as_picture, bend, glow, narrow

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_bonescint.scan import Spacing
    from napari_bonescint.simulation.case import Case

UNKNOWN = 254
"""Code of what belongs to no class for sure; the loss leaves it out."""

_COARSE_MM = 3.5
_SHARE_UNCUT = 0.85
_BONE_SPREAD = 0.25
_SPREADS = {"lesions": 0.5, "soft": 0.5, "excreted": 1.0}


class Example(NamedTuple):
    """One view on the network's grid.

    Attributes
    ----------
    image : ndarray of float32, shape (channel, y, x)
        Normalised; one channel for segmenting.
    codes : ndarray of uint8, shape (samples * y, samples * x)
        Class of evenly spaced samples of each pixel, see `samples_per_pixel`.
    """

    image: NDArray[np.float32]
    codes: NDArray[np.uint8]


def samples_per_pixel(grid_mm: float) -> int:
    """Number of samples of the true mask for each pixel of a grid, along y and along x.

    Pixels as fine as the acquired ones have one class; coarser pixels may have shares of several.
    """
    return 3 if grid_mm > _COARSE_MM else 1


def draw_example(
    case: Case, view: int, rng: np.random.Generator, classes: int, grid_mm: float, shape: tuple[int, int]
) -> Example:
    """Draw one random example of one view, with random uptake, counts, deformation, size and position."""
    strengths = draw_strengths(rng)
    mean = np.tensordot(strengths, case.expected[:, view], axes=1)
    within = float(strengths[:-1] @ case.expected[:-1, view].sum(axis=(1, 2)))
    regions = case.regions[view]
    if classes == 2:
        regions = (regions > 0).astype(np.uint8)
    if rng.random() < 0.7:
        mean, regions = bend(mean, regions, rng)
    if rng.random() < 0.3:
        mean = glow(mean, regions, rng)
    total = np.exp(rng.uniform(np.log(1.5e5), np.log(3e6)))
    image = rng.poisson(mean * np.float32(total / max(within, 1e-9))).astype(np.float32)
    return as_example(image, regions, (case.pixel_mm, case.pixel_mm), rng, grid_mm, shape)


def as_example(
    image: NDArray[np.float32],
    regions: NDArray[np.uint8],
    pixel_mm: Spacing,
    rng: np.random.Generator,
    grid_mm: float,
    shape: tuple[int, int],
) -> Example:
    """Make an example from counts and codes (y, x): random cropping, mirroring, 8 bits, size and position."""
    if rng.random() < 0.25:
        image, regions = narrow(image, regions, rng)
    if rng.random() < 0.5:
        image, regions = image[:, ::-1], regions[:, ::-1]
    if rng.random() < 0.5:
        image = as_picture(image, rng)
    scale = rng.uniform(0.85, 1.18)
    spacing = (pixel_mm[0] * scale * rng.uniform(0.97, 1.03), pixel_mm[1] * scale)
    coarse = normalise(Grid((image.shape[0], image.shape[1]), spacing, grid_mm).coarsen(image))
    codes = _sample(regions, (coarse.shape[0], coarse.shape[1]), spacing, grid_mm)
    return place_example(coarse[None], codes, codes > 0, shape, rng)


def draw_strengths(rng: np.random.Generator) -> NDArray[np.float32]:
    """A random factor for the uptake of each source of a case."""
    spread = [_SPREADS.get(source, _BONE_SPREAD) for source in SOURCES]
    return np.exp(rng.normal(0, spread)).astype(np.float32)


def _sample(
    regions: NDArray[np.uint8], coarse: tuple[int, int], spacing: tuple[float, float], grid_mm: float
) -> NDArray[np.uint8]:
    """Region codes at evenly spaced samples of each coarse pixel: (samples * y, samples * x)."""
    samples = samples_per_pixel(grid_mm)
    indices = []
    for n, fine, mm in zip(coarse, regions.shape, spacing, strict=True):
        place = (np.arange(samples * n) + 0.5) / samples - n / 2
        indices.append(np.clip((place * grid_mm / mm + fine / 2).astype(np.int64), 0, fine - 1))
    sampled: NDArray[np.uint8] = regions[np.ix_(*indices)]
    return sampled


def place_example(
    image: NDArray[np.float32],
    codes: NDArray[np.uint8],
    bone: NDArray[np.bool_],
    shape: tuple[int, int],
    rng: np.random.Generator,
) -> Example:
    """Crop or pad an image (channel, y, x) and its codes to one shape, at a random position.

    The position rarely cuts `bone`, which has the shape of the codes or of the image.
    """
    rows, columns = image.shape[1:]
    samples, per_pixel = codes.shape[0] // rows, bone.shape[0] // rows
    placed = Example(
        np.zeros((len(image), *shape), np.float32), np.zeros((shape[0] * samples, shape[1] * samples), np.uint8)
    )
    whole = rng.random() < _SHARE_UNCUT
    source, into = [], []
    for axis, (n, size) in enumerate(zip((rows, columns), shape, strict=True)):
        low, high = _extent(np.asarray(bone.any(axis=1 - axis)), per_pixel) if whole else (0, n)
        if n <= size:
            start = -int(rng.integers(size - n + 1))
        elif high - low <= size:
            start = int(rng.integers(max(0, high - size), min(low, n - size) + 1))
        else:
            start = int(rng.integers(low, high - size + 1))
        source.append(slice(max(0, start), min(n, start + size)))
        into.append(slice(max(0, -start), max(0, -start) + source[-1].stop - source[-1].start))
    placed.image[:, into[0], into[1]] = image[:, source[0], source[1]]
    placed.codes[_times(into[0], samples), _times(into[1], samples)] = codes[
        _times(source[0], samples), _times(source[1], samples)
    ]
    return placed


def _extent(occupied: NDArray[np.bool_], samples: int) -> tuple[int, int]:
    """Index of the first occupied pixel along one axis, and one after the last."""
    where = np.flatnonzero(occupied)
    if where.size == 0:
        return 0, occupied.size // samples
    return int(where[0]) // samples, int(where[-1]) // samples + 1


def _times(part: slice, factor: int) -> slice:
    return slice(part.start * factor, part.stop * factor)
