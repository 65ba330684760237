"""Training examples from simulated cases: counted, degraded and put on the network's grid as a scan would be."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from scipy import ndimage
from torch.utils.data import IterableDataset, get_worker_info

from napari_bonescint.inference.preprocessing import Grid, normalise
from napari_bonescint.simulation.case import Case

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray


class Example(NamedTuple):
    """One view on the network's grid.

    Attributes
    ----------
    image : ndarray of float32, shape (1, y, x)
        Normalised.
    target : ndarray of float32, shape (class, y, x)
        Share of each class in each coarse pixel; sums to 1.
    """

    image: NDArray[np.float32]
    target: NDArray[np.float32]


class SimulatedViews(IterableDataset[tuple[torch.Tensor, torch.Tensor]]):
    """Endless random examples from case files; memory does not grow with their number.

    Parameters
    ----------
    paths : sequence of Path
        Files that `Case.save` wrote.
    classes : int
        Number of region codes; 2 for background and bone.
    grid_mm : float
        Pixel size of the examples.
    shape : (int, int)
        Rows and columns of the examples.
    seed : int
        Start of the random numbers; each worker has its own.
    """

    def __init__(self, paths: Sequence[Path], classes: int, grid_mm: float, shape: tuple[int, int], seed: int) -> None:
        self._paths = list(paths)
        self._classes = classes
        self._grid_mm = grid_mm
        self._shape = shape
        self._seed = seed

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        worker = get_worker_info()
        rng = np.random.default_rng((self._seed, worker.id if worker else 0))
        while True:
            case = Case.load(self._paths[rng.integers(len(self._paths))])
            for view in (0, 1):
                example = draw_example(case, view, rng, self._classes, self._grid_mm, self._shape)
                yield torch.from_numpy(example.image), torch.from_numpy(example.target)


def draw_example(
    case: Case, view: int, rng: np.random.Generator, classes: int, grid_mm: float, shape: tuple[int, int]
) -> Example:
    """One random example of one view: other counts, organs, size, place, and what viewers do to pictures."""
    strengths = np.exp(rng.normal(0, (0.0, 0.6, 1.0)))
    mean = np.tensordot(strengths.astype(np.float32), case.expected[:, view], axes=1)
    total = np.exp(rng.uniform(np.log(1.5e5), np.log(3e6)))
    mean *= np.float32(total / max(float(mean.sum()), 1e-9))
    image = rng.poisson(mean).astype(np.float32)
    regions = case.regions[view]
    if classes == 2:
        regions = (regions > 0).astype(np.uint8)
    if rng.random() < 0.5:
        image, regions = image[:, ::-1], regions[:, ::-1]
    if rng.random() < 0.5:
        image = _as_picture(image, rng)
    scale = rng.uniform(0.85, 1.18)
    spacing = (case.pixel_mm * scale * rng.uniform(0.97, 1.03), case.pixel_mm * scale)
    grid = Grid.over((image.shape[0], image.shape[1]), spacing, grid_mm)
    coarse = normalise(grid.coarsen(image))
    target = _shares(regions, coarse.shape, spacing, grid_mm, classes)
    return _place(coarse, target, shape, rng)


def _as_picture(image: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Clip, bend and round counts as viewers do when they save a scan as a picture, perhaps a smoothed one."""
    if rng.random() < 0.5:
        image = ndimage.gaussian_filter(image, rng.uniform(0.3, 1.3))
    top = max(float(np.quantile(image, rng.uniform(0.985, 0.9999))), 1e-3)
    bent = np.minimum(image / top, 1) ** rng.uniform(0.6, 1.6)
    result: NDArray[np.float32] = np.round(255 * bent, 0).astype(np.float32)
    return result


def _shares(
    regions: NDArray[np.uint8], coarse: tuple[int, ...], spacing: tuple[float, float], grid_mm: float, classes: int
) -> NDArray[np.float32]:
    """Share of each class in each coarse pixel, from three by three samples within it: (class, y, x)."""
    indices = []
    for n, fine, mm in zip(coarse, regions.shape, spacing, strict=True):
        place = (np.arange(3 * n) + 0.5) / 3 - n / 2
        indices.append(np.clip((place * grid_mm / mm + fine / 2).astype(np.int64), 0, fine - 1))
    samples = regions[np.ix_(*indices)].reshape(coarse[0], 3, coarse[1], 3)
    pixel = np.arange(coarse[0] * coarse[1]).reshape(coarse[0], 1, coarse[1], 1)
    counted = np.bincount((samples.astype(np.int64) * pixel.size + pixel).ravel(), minlength=classes * pixel.size)
    return (counted / 9).astype(np.float32).reshape(classes, *coarse)


def _place(
    image: NDArray[np.float32], target: NDArray[np.float32], shape: tuple[int, int], rng: np.random.Generator
) -> Example:
    """Cut or pad an image (y, x) and its target (class, y, x) to one shape, at a random place."""
    placed = Example(np.zeros((1, *shape), np.float32), np.zeros((len(target), *shape), np.float32))
    placed.target[0] = 1
    source, into = [], []
    for n, size in zip(image.shape, shape, strict=True):
        offset = int(rng.integers(min(0, size - n), max(0, size - n) + 1))
        into.append(slice(max(0, offset), min(size, offset + n)))
        source.append(slice(max(0, -offset), max(0, -offset) + into[-1].stop - into[-1].start))
    placed.image[0, into[0], into[1]] = image[source[0], source[1]]
    placed.target[:, into[0], into[1]] = target[:, source[0], source[1]]
    return placed
