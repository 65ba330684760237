"""Training examples from corrected scans, whose counts already contain Poisson noise.

The noise of an acquired scan cannot be drawn again. A shorter scan is simulated by binomial thinning, which turns
Poisson counts into Poisson counts. `augmentation` applies as to simulated scans.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.inference.preprocessing import ASSUMED_SPACING_MM
from napari_bonescint.training.data.augmentation import bend
from napari_bonescint.training.data.simulated_examples import Example, as_example

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_bonescint.counted_scan import CountedScan

UNNAMED_BONE = 255
"""Code of bone whose region is unknown, from a skeleton mask."""

_FEWEST_COUNTS = 1.5e5
_SHARE_BENT = 0.7
_SHARE_THINNED = 0.6


def draw_counted_example(
    counted: CountedScan, view: int, rng: np.random.Generator, classes: int, grid_mm: float, shape: tuple[int, int]
) -> Example:
    """Draw one random example of one view, with random counts, deformation, size and position.

    Parameters
    ----------
    counted : CountedScan
    view : int
        Index of the view.
    rng : Generator
    classes : int
        Number of region codes; 2 for background and bone. With more classes, skeleton masks give `UNNAMED_BONE`.
    grid_mm : float
        Pixel size of the example in mm.
    shape : (int, int)
        Rows and columns of the example.
    """
    counts = counted.scan.counts[view]
    regions = counted.regions[view]
    if classes == 2:
        regions = (regions > 0).astype(np.uint8)
    elif not counted.names_regions:
        regions = np.where(regions > 0, UNNAMED_BONE, 0).astype(np.uint8)
    image = counts.astype(np.float32)
    if _are_photons(counts) and rng.random() < _SHARE_THINNED:
        image = _thin(counts, rng)
    if rng.random() < _SHARE_BENT:
        image, regions = bend(image, regions, rng)
    spacing = counted.scan.spacing or (ASSUMED_SPACING_MM, ASSUMED_SPACING_MM)
    return as_example(image, regions, spacing, rng, grid_mm, shape)


def _are_photons(counts: NDArray[np.generic]) -> bool:
    """True if values can be counts; grey levels of a picture are bytes, and smoothed values have fractions."""
    return np.issubdtype(counts.dtype, np.integer) and counts.dtype.itemsize > 1


def _thin(counts: NDArray[np.generic], rng: np.random.Generator) -> NDArray[np.float32]:
    """Counts of a shorter scan, of random duration."""
    whole = np.maximum(counts.astype(np.int64), 0)
    fewest = min(1.0, _FEWEST_COUNTS / max(1, int(whole.sum())))
    return rng.binomial(whole, np.exp(rng.uniform(np.log(fewest), 0))).astype(np.float32)
