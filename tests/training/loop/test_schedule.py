"""How a recipe lies over the steps that there is time for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from napari_bonescint.training.loop.schedule import Schedule, StepTimer, steps_within

if TYPE_CHECKING:
    from napari_bonescint.training.loop.recipe import Recipe


@pytest.fixture
def quick(recipe: Recipe) -> Recipe:
    return replace(recipe, steps=400, warm_up=20, check_every=100, learning_rate=0.0005)


@pytest.mark.parametrize("steps", [400, 150, 40, 1])
def test_the_rate_falls_to_its_lowest_over_whatever_steps_there_are(quick: Recipe, steps: int) -> None:
    schedule = Schedule(quick, steps)
    rates = [schedule.learning_rate(step) for step in range(steps + 1)]
    assert rates[-1] == pytest.approx(0.01 * quick.learning_rate)
    assert max(rates) <= quick.learning_rate
    highest = rates.index(max(rates))
    assert highest <= max(1, steps // 4)
    assert rates[highest:] == sorted(rates[highest:], reverse=True)


@pytest.mark.parametrize(("steps", "every", "validations"), [(400, 100, 4), (200, 50, 4), (39, 10, 4), (10, 10, 1)])
def test_the_number_of_validations_is_the_recipes(quick: Recipe, steps: int, every: int, validations: int) -> None:
    schedule = Schedule(quick, steps)
    assert schedule.check_every == every
    assert schedule.validations_after(0) == validations
    assert Schedule(replace(quick, check_every=0), steps).validations_after(0) == 0


def test_a_time_allows_so_many_steps_besides_the_looks(quick: Recipe) -> None:
    assert steps_within(quick, 100, 1.0) == 100
    # Four validations and the scoring at the end take half of it.
    assert steps_within(quick, 100, 1.0, seconds_per_validation=10) == 50
    assert steps_within(quick, 100, 1.0, done=9) == 109
    assert steps_within(quick, 1e6, 1.0) == 400
    # However short the time, one more step is made.
    assert steps_within(quick, 0, 1.0, done=9) == 10


def test_too_few_steps_tell_nothing() -> None:
    timer = StepTimer()
    for _ in range(4):
        timer.begin()
    assert timer.seconds_per_step is None
