"""Confidence intervals of a mean over patients."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import t

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

LEVEL = 0.95
METHOD = "Student's t over patients, or over the trainings where each patient was scored by one of several"
"""Bootstraps of five to twelve values are too narrow; docs/judging.md has the rates that were measured."""


def mean_interval(values: Sequence[float], groups: Sequence[Hashable] | None = None) -> tuple[float, float] | None:
    """The 95 % confidence interval of the mean of values.

    Parameters
    ----------
    values : sequence of float
        One for each patient, such as the mean difference between two models on the patient's scans, which makes the
        interval one for paired samples.
    groups : sequence, optional
        Which values depend on each other: of patients who were scored by the same training, the same. The standard
        error is then the cluster-robust one, with K / (K - 1) and K - 1 degrees of freedom for K groups (Cameron and
        Miller, A practitioner's guide to cluster-robust inference, J Human Resources 2015, section VI). Without it each
        value is a group of its own, which makes it Student's.

    Returns
    -------
    (float, float) or None
        Lower and upper bound; None for fewer than two groups. Equal values give an interval of no width.
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
