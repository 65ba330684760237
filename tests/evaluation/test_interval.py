"""Confidence intervals of a mean."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t

from napari_bonescint.evaluation.interval import mean_interval


@pytest.mark.parametrize("number", [2, 5, 60])
def test_the_interval_of_independent_values_is_students(number: int) -> None:
    values = np.random.default_rng(3).normal(0.01, 0.02, number)
    wanted = t.interval(0.95, number - 1, loc=values.mean(), scale=values.std(ddof=1) / np.sqrt(number))
    assert mean_interval(list(values)) == pytest.approx(wanted)


def test_the_interval_of_equal_groups_is_students_over_their_means() -> None:
    values = np.random.default_rng(4).normal(0.01, 0.02, (5, 4)) + np.linspace(-0.05, 0.05, 5)[:, None]
    means = values.mean(axis=1)
    wanted = t.interval(0.95, 4, loc=means.mean(), scale=means.std(ddof=1) / np.sqrt(5))
    groups = [fold for fold in "abcde" for _ in range(4)]
    assert mean_interval(list(values.ravel()), groups) == pytest.approx(wanted)


def test_one_value_has_no_interval_and_equal_ones_one_of_no_width() -> None:
    assert mean_interval([]) is None
    assert mean_interval([0.1]) is None
    assert mean_interval([0.1, 0.2], ["same", "same"]) is None
    assert mean_interval([0.1, 0.1, 0.1]) == (0.1, 0.1)


def test_without_a_gain_the_lower_bound_is_rarely_above_zero_however_few_values_there_are() -> None:
    rng = np.random.default_rng(5)
    for number in (5, 7, 12, 20):
        found = [mean_interval(list(rng.normal(0, 1, number))) for _ in range(2000)]
        # 2.5 % and three times the standard error of as many trials.
        assert np.mean([bounds is not None and bounds[0] > 0 for bounds in found]) < 0.036
