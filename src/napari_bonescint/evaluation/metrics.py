"""Measures of agreement between a mask, or a probability, and the truth."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import binary_erosion
from scipy.spatial import KDTree

from napari_bonescint.anatomy import REGIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_bonescint.scan import Spacing

_FEWEST_PIXELS = 30
_SUREST = 1e-6


def dice(mask: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """Dice coefficient 2 |A and B| / (|A| + |B|); 1 if both are empty."""
    total = int(mask.sum()) + int(truth.sum())
    return 2 * int((mask & truth).sum()) / total if total else 1.0


def region_dice(regions: NDArray[np.uint8], truth: NDArray[np.uint8]) -> dict[str, float]:
    """Dice by name, for each region with at least 30 pixels in the truth."""
    return {
        region.name: dice(regions == region.code, truth == region.code)
        for region in REGIONS[1:]
        if int((truth == region.code).sum()) >= _FEWEST_PIXELS
    }


@dataclass(frozen=True)
class SurfaceDistance:
    """Distance between the edges of two masks, in mm.

    Attributes
    ----------
    mean, p95 : float
        Mean and 95th percentile of the distances from each edge pixel of either mask to the nearest edge pixel of the
        other: the average symmetric surface distance (Heimann et al., IEEE Trans Med Imaging 2009) and the robust
        Hausdorff distance, with both directions pooled.
    """

    mean: float
    p95: float


def surface_distance(mask: NDArray[np.bool_], truth: NDArray[np.bool_], spacing: Spacing) -> SurfaceDistance | None:
    """Distance between the edges of two masks.

    Parameters
    ----------
    mask, truth : ndarray of bool, shape (y, x)
    spacing : (float, float)
        Pixel spacing (y, x) in mm.

    Returns
    -------
    SurfaceDistance or None
        None if either mask is empty: it has no edge.
    """
    edges = [np.argwhere(each & ~binary_erosion(each)) * np.array(spacing) for each in (mask, truth)]
    if not all(map(len, edges)):
        return None
    there, back = edges
    distances = np.concatenate([KDTree(back).query(there)[0], KDTree(there).query(back)[0]])
    return SurfaceDistance(float(distances.mean()), float(np.quantile(distances, 0.95)))


def cross_entropy(probability: NDArray[np.floating], truth: NDArray[np.bool_]) -> float:
    """Mean binary cross-entropy of the probability of bone, in nats. Probabilities are clipped to 1e-6 and 1 - 1e-6."""
    p = np.clip(probability.astype(np.float64), _SUREST, 1 - _SUREST)
    return float(-np.log(np.where(truth, p, 1 - p)).mean())


@dataclass(frozen=True)
class Summary:
    """Statistics of a score over views.

    Attributes
    ----------
    mean, spread, median, lowest : float
        Rounded to four digits. The spread is the standard deviation.
    views : int
        Number of views.
    """

    mean: float
    spread: float
    median: float
    lowest: float
    views: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Summary:
        """Summarise one or more values."""
        return cls(
            round(statistics.mean(values), 4),
            round(statistics.pstdev(values), 4),
            round(statistics.median(values), 4),
            round(min(values), 4),
            len(values),
        )
