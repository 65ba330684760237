"""Training examples from simulated cases: counted, degraded and put on the network's grid as a scan would be."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch.utils.data import Dataset

from napari_bonescint.inference.preprocessing import Grid, normalise
from napari_bonescint.simulation.case import SOURCES
from napari_bonescint.training.augmentation import as_picture, bend, glow, narrow

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_bonescint.simulation.case import Case
    from napari_bonescint.training.case_sources import CaseSource

_COARSE_MM = 3.5
_SHARE_UNCUT = 0.85
_BONE_SPREAD = 0.25
_SPREADS = {"lesions": 0.5, "soft": 0.5, "excreted": 1.0}


class Example(NamedTuple):
    """One view on the network's grid.

    Attributes
    ----------
    image : ndarray of float32, shape (1, y, x)
        Normalised.
    codes : ndarray of uint8, shape (samples * y, samples * x)
        Class of evenly spaced samples of each pixel, see `samples_per_pixel`.
    """

    image: NDArray[np.float32]
    codes: NDArray[np.uint8]


def samples_per_pixel(grid_mm: float) -> int:
    """How many samples, along y and along x, tell which classes a pixel of a grid shows.

    Pixels about as fine as the acquired ones show one class; coarser ones may show shares of several.
    """
    return 3 if grid_mm > _COARSE_MM else 1


class SimulatedBatches(Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """Random examples from cases, by step: the same step always gives the same ones.

    Parameters
    ----------
    cases : CaseSource
    classes : int
        Number of region codes; 2 for background and bone.
    grid_mm : float
        Pixel size of the examples.
    shape : (int, int)
        Rows and columns of the examples.
    batch : int
        Examples in a step.
    seed : tuple of int
        Start of the random numbers; processes that train together need different ones.
    """

    def __init__(
        self,
        cases: CaseSource,
        classes: int,
        grid_mm: float,
        shape: tuple[int, int],
        batch: int,
        seed: tuple[int, ...],
    ) -> None:
        self._cases = cases
        self._classes = classes
        self._grid_mm = grid_mm
        self._shape = shape
        self._batch = batch
        self._seed = seed

    def __getitem__(self, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Images (batch, 1, y, x) and codes (batch, samples * y, samples * x) of a step."""
        rng = np.random.default_rng((*self._seed, step))
        examples: list[Example] = []
        while len(examples) < self._batch:
            case = self._cases.draw(rng)
            examples += [draw_example(case, view, rng, self._classes, self._grid_mm, self._shape) for view in (0, 1)]
        images, codes = zip(*examples[: self._batch], strict=True)
        return torch.from_numpy(np.stack(images)), torch.from_numpy(np.stack(codes))


def draw_example(
    case: Case, view: int, rng: np.random.Generator, classes: int, grid_mm: float, shape: tuple[int, int]
) -> Example:
    """One random example of one view: other uptake, counts, shape, size, place, and what viewers do to pictures."""
    strengths = _draw_strengths(rng)
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
    if rng.random() < 0.25:
        image, regions = narrow(image, regions, rng)
    if rng.random() < 0.5:
        image, regions = image[:, ::-1], regions[:, ::-1]
    if rng.random() < 0.5:
        image = as_picture(image, rng)
    scale = rng.uniform(0.85, 1.18)
    spacing = (case.pixel_mm * scale * rng.uniform(0.97, 1.03), case.pixel_mm * scale)
    coarse = normalise(Grid.over((image.shape[0], image.shape[1]), spacing, grid_mm).coarsen(image))
    codes = _sample(regions, (coarse.shape[0], coarse.shape[1]), spacing, grid_mm)
    return _place(coarse, codes, shape, rng)


def _draw_strengths(rng: np.random.Generator) -> NDArray[np.float32]:
    """A factor for each of a case's sources."""
    spread = [_SPREADS.get(source, _BONE_SPREAD) for source in SOURCES]
    return np.exp(rng.normal(0, spread)).astype(np.float32)


def _sample(
    regions: NDArray[np.uint8], coarse: tuple[int, int], spacing: tuple[float, float], grid_mm: float
) -> NDArray[np.uint8]:
    """Codes at evenly spaced samples of each coarse pixel: (samples * y, samples * x)."""
    samples = samples_per_pixel(grid_mm)
    indices = []
    for n, fine, mm in zip(coarse, regions.shape, spacing, strict=True):
        place = (np.arange(samples * n) + 0.5) / samples - n / 2
        indices.append(np.clip((place * grid_mm / mm + fine / 2).astype(np.int64), 0, fine - 1))
    sampled: NDArray[np.uint8] = regions[np.ix_(*indices)]
    return sampled


def _place(
    image: NDArray[np.float32], codes: NDArray[np.uint8], shape: tuple[int, int], rng: np.random.Generator
) -> Example:
    """Cut or pad an image (y, x) and its codes to one shape, at a random place, seldom cutting the body."""
    samples = codes.shape[0] // image.shape[0]
    placed = Example(np.zeros((1, *shape), np.float32), np.zeros((shape[0] * samples, shape[1] * samples), np.uint8))
    whole = rng.random() < _SHARE_UNCUT
    source, into = [], []
    for axis, (n, size) in enumerate(zip(image.shape, shape, strict=True)):
        low, high = _extent(np.asarray(codes.any(axis=1 - axis)), samples) if whole else (0, n)
        if n <= size:
            start = -int(rng.integers(size - n + 1))
        elif high - low <= size:
            start = int(rng.integers(max(0, high - size), min(low, n - size) + 1))
        else:
            start = int(rng.integers(low, high - size + 1))
        source.append(slice(max(0, start), min(n, start + size)))
        into.append(slice(max(0, -start), max(0, -start) + source[-1].stop - source[-1].start))
    placed.image[0, into[0], into[1]] = image[source[0], source[1]]
    placed.codes[_times(into[0], samples), _times(into[1], samples)] = codes[
        _times(source[0], samples), _times(source[1], samples)
    ]
    return placed


def _extent(occupied: NDArray[np.bool_], samples: int) -> tuple[int, int]:
    """First pixel and the one after the last that is occupied, along one axis."""
    where = np.flatnonzero(occupied)
    if where.size == 0:
        return 0, occupied.size // samples
    return int(where[0]) // samples, int(where[-1]) // samples + 1


def _times(part: slice, factor: int) -> slice:
    return slice(part.start * factor, part.stop * factor)
