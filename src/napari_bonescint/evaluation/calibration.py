"""Calibration of the probability of bone: reliability and expected calibration error."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import expit, logit

from napari_bonescint.evaluation.metrics import cross_entropy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

BINS = 15
LOWEST_PROBABILITY = 0.005
"""Pixels below are ignored: nine in ten are clearly background, and would make every model look calibrated."""


@dataclass(frozen=True)
class Reliability:
    """Histogram of pixels by their probability of bone, in bins of equal width.

    Attributes
    ----------
    pixels : tuple of int
        Number of pixels in each bin.
    probability : tuple of float
        Sum of their probabilities.
    bone : tuple of int
        Number of them that are bone in truth.
    """

    pixels: tuple[int, ...]
    probability: tuple[float, ...]
    bone: tuple[int, ...]

    @classmethod
    def of(cls, probability: NDArray[np.floating], truth: NDArray[np.bool_]) -> Reliability:
        """Sort pixels into bins.

        Parameters
        ----------
        probability : ndarray
            Probability of bone, 0 to 1; pixels of 0.005 and less are ignored.
        truth : ndarray of bool, same shape
        """
        counted = probability > LOWEST_PROBABILITY
        p, bone = probability[counted].astype(np.float64), truth[counted]
        index = np.minimum((p * BINS).astype(np.int64), BINS - 1)
        return cls(
            tuple(np.bincount(index, minlength=BINS).tolist()),
            tuple(np.bincount(index, p, minlength=BINS).round(3).tolist()),
            tuple(np.bincount(index[bone], minlength=BINS).tolist()),
        )

    def __add__(self, other: Reliability) -> Reliability:
        """Add the pixels of another histogram."""
        return Reliability(
            tuple(a + b for a, b in zip(self.pixels, other.pixels, strict=True)),
            tuple(round(a + b, 3) for a, b in zip(self.probability, other.probability, strict=True)),
            tuple(a + b for a, b in zip(self.bone, other.bone, strict=True)),
        )

    @property
    def curve(self) -> list[tuple[float, float]]:
        """Mean probability and share of bone in each bin that is not empty."""
        bins = zip(self.pixels, self.probability, self.bone, strict=True)
        return [(p / n, bone / n) for n, p, bone in bins if n]

    @property
    def expected_error(self) -> float:
        """Expected calibration error: mean over pixels of |mean probability - share of bone| in the pixel's bin.

        Guo et al., On calibration of modern neural networks, ICML 2017, equation 3, with the probability of bone
        instead of that of the likelier class.
        """
        bins = zip(self.probability, self.bone, strict=True)
        return sum(abs(p - bone) for p, bone in bins) / max(sum(self.pixels), 1)


def fit_temperature(probabilities: Sequence[NDArray[np.float32]], bones: Sequence[NDArray[np.bool_]]) -> float:
    """Find the temperature, from 0.5 to 3, that minimises the cross-entropy of the probability of bone.

    Guo et al., On calibration of modern neural networks, ICML 2017, section 4.2.

    Parameters
    ----------
    probabilities : sequence of ndarray
        Probability of bone at temperature 1, for scans that the network was not trained on.
    bones : sequence of ndarray of bool, of the same shapes
        True where there is bone.
    """
    odds = [logit(np.clip(probability, 1e-6, 1 - 1e-6)) for probability in probabilities]

    def loss(log_temperature: float) -> float:
        temperature = math.exp(log_temperature)
        return statistics.mean(
            cross_entropy(expit(each / temperature), bone) for each, bone in zip(odds, bones, strict=True)
        )

    best = minimize_scalar(loss, bounds=(math.log(0.5), math.log(3)), method="bounded", options={"xatol": 0.02})
    return round(math.exp(best.x), 3)
