"""Confidence interval of a mean over patients."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import t

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

LEVEL = 0.95
METHOD = "Student's t over patients, or over the trainings if each patient was scored by one of several"
"""A bootstrap interval of five to twelve values is too narrow; docs/judging.md has the measured rates."""


def mean_interval(values: Sequence[float], groups: Sequence[Hashable] | None = None) -> tuple[float, float] | None:
    """The 95 % confidence interval of the mean of values.

    Parameters
    ----------
    values : sequence of float
        One for each patient. For paired samples, the mean difference between two models on the patient's scans.
    groups : sequence, optional
        The group of each value; values of one group depend on each other, such as patients scored by one training.
        The standard error is cluster-robust, with K / (K - 1) and K - 1 degrees of freedom for K groups (Cameron and
        Miller, A practitioner's guide to cluster-robust inference, J Human Resources 2015, section VI). By default
        each value is its own group, which is Student's t.

    Returns
    -------
    (float, float) or None
        Lower and upper bound; None for fewer than two groups. The bounds are equal if all values are.
    """
    sample = np.array(values, np.float64)
    _, group = np.unique(np.arange(len(sample)) if groups is None else _numbered(groups), return_inverse=True)
    number = int(group.max(initial=-1)) + 1
    if number < 2:
        return None
    mean = float(sample.mean())
    if np.ptp(sample) == 0:
        return float(sample[0]), float(sample[0])
    sums = np.bincount(group, sample - mean)
    error = float(np.sqrt(number / (number - 1) * (sums**2).sum()) / len(sample))
    half = _quantile(number - 1) * error
    return mean - half, mean + half


@cache
def _quantile(degrees_of_freedom: int) -> float:
    return float(t.ppf(0.5 + LEVEL / 2, degrees_of_freedom))


def _numbered(groups: Sequence[Hashable]) -> list[int]:
    numbers: dict[Hashable, int] = {}
    return [numbers.setdefault(group, len(numbers)) for group in groups]
