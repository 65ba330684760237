"""How well a mask, or a probability, agrees with the truth."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.anatomy import REGIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_FEWEST_PIXELS = 30
_SUREST = 1e-6


def dice(mask: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """Dice coefficient 2 |A and B| / (|A| + |B|); 1 if both are empty."""
    total = int(mask.sum()) + int(truth.sum())
    return 2 * int((mask & truth).sum()) / total if total else 1.0


def region_dice(regions: NDArray[np.uint8], truth: NDArray[np.uint8]) -> dict[str, float]:
    """Dice of each region of which the truth shows at least 30 pixels, by name."""
    return {
        region.name: dice(regions == region.code, truth == region.code)
        for region in REGIONS[1:]
        if int((truth == region.code).sum()) >= _FEWEST_PIXELS
    }


def cross_entropy(probability: NDArray[np.floating], truth: NDArray[np.bool_]) -> float:
    """Mean binary cross-entropy, in nats, of the probability of bone; one beyond 1e-6 of 0 or 1 counts as 1e-6."""
    p = np.clip(probability.astype(np.float64), _SUREST, 1 - _SUREST)
    return float(-np.log(np.where(truth, p, 1 - p)).mean())


@dataclass(frozen=True)
class Summary:
    """A score over views.

    Attributes
    ----------
    mean, spread, median, lowest : float
        The spread is the standard deviation. All are rounded to four digits.
    views : int
        How many.
    """

    mean: float
    spread: float
    median: float
    lowest: float
    views: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Summary:
        """Summarise values, of which there is at least one."""
        return cls(
            round(statistics.mean(values), 4),
            round(statistics.pstdev(values), 4),
            round(statistics.median(values), 4),
            round(min(values), 4),
            len(values),
        )
