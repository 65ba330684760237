"""Confidence intervals of a mean."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t

from napari_bonescint.training.bootstrap import mean_interval


def test_the_interval_of_many_normal_values_is_students() -> None:
    values = np.random.default_rng(3).normal(0.01, 0.02, 60)
    low, high = t.interval(0.95, 59, loc=values.mean(), scale=values.std(ddof=1) / np.sqrt(60))
    assert mean_interval(list(values)) == pytest.approx((low, high), abs=4e-4)


def test_the_same_values_give_the_same_interval() -> None:
    values = [0.01, 0.03, -0.01, 0.02, 0.05]
    assert mean_interval(values) == mean_interval(values)


def test_one_value_has_no_interval_and_equal_ones_one_of_no_width() -> None:
    assert mean_interval([]) is None
    assert mean_interval([0.1]) is None
    assert mean_interval([0.1, 0.1, 0.1]) == (0.1, 0.1)


def test_two_values_bound_their_own_interval() -> None:
    low, high = mean_interval([0.0, 0.2])
    assert 0 <= low <= 0.1 <= high <= 0.2
