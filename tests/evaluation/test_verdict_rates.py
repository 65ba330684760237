"""How often the rule finds a gain, by the benchmark that writes the tables of docs/judging.md."""

from __future__ import annotations

import numpy as np
import pytest

from verdict_rates import JUDGED, LOOKS, Spread, folds_rate, held_out_rate

_TRIALS = 600
# Three standard errors above 2.5 %, of so many trials.
_AT_MOST = 0.05


@pytest.fixture(scope="module")
def spread() -> Spread:
    """Differences of 200 patients that are as likely for as against, and less and less so from look to look."""
    rng = np.random.default_rng(1)
    walk = rng.normal(0, 0.002, (200, 16)).cumsum(axis=1)
    return Spread(walk - walk.mean(axis=0), 0.001, {})


@pytest.mark.parametrize("recipe", LOOKS)
@pytest.mark.parametrize("judged", JUDGED)
def test_what_chose_a_look_does_not_judge_it_so_that_chance_rarely_looks_like_a_gain(
    spread: Spread, judged: int, recipe: str
) -> None:
    assert held_out_rate(spread, judged, LOOKS[recipe], 0.0, _TRIALS) <= _AT_MOST


def test_a_gain_of_a_hundredth_is_found(spread: Spread) -> None:
    assert held_out_rate(spread, 20, LOOKS["quick"], 0.01, 200) >= 0.8


def test_trainings_of_folds_that_are_all_alike_by_chance_are_no_gain(spread: Spread) -> None:
    assert folds_rate(spread, 20, LOOKS["quick"], 0.0, _TRIALS) <= _AT_MOST
    assert folds_rate(spread, 20, LOOKS["quick"], 0.01, 200) >= 0.8
