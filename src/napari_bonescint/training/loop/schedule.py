"""The number of steps of a training, its learning rate at each step, and its validations."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_bonescint.training.loop.recipe import Recipe

REPORT_EVERY = 10
"""Steps between two reports; a validation follows some of the reports."""

_LOWEST_SHARE = 0.01
_FEWEST_TIMED, _SHORTEST_S = 8, 1.0


@dataclass(frozen=True)
class Schedule:
    """A recipe with its number of steps, or with fewer steps if the time is limited.

    Attributes
    ----------
    recipe : Recipe
    steps : int
        From 1 to the recipe's.
    """

    recipe: Recipe
    steps: int

    @property
    def warm_up(self) -> int:
        """Steps of warm-up: the recipe's, but at most a quarter of a shortened training."""
        own = self.recipe.warm_up
        return own if self.steps >= self.recipe.steps else min(own, self.steps // 4)

    @property
    def check_every(self) -> int:
        """Steps between two validations; their number is that of the recipe; 0 for no validation."""
        every = self.recipe.check_every
        if every == 0 or self.steps >= self.recipe.steps:
            return every
        return max(REPORT_EVERY, round(every * self.steps / self.recipe.steps / REPORT_EVERY) * REPORT_EVERY)

    def learning_rate(self, step: int) -> float:
        """Learning rate of a step: it rises during the warm-up, then falls along a cosine until the last step."""
        highest = self.recipe.learning_rate
        if step < self.warm_up:
            return highest * (step + 1) / self.warm_up
        done = (step - self.warm_up) / max(1, self.steps - self.warm_up)
        cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
        return highest * (_LOWEST_SHARE + (1 - _LOWEST_SHARE) * cosine)

    def validations_after(self, step: int) -> int:
        """Number of validations after a step, with the one at the end."""
        if self.recipe.check_every == 0:
            return 0
        return -(-(self.steps - step) // self.check_every)


def steps_within(
    recipe: Recipe, seconds: float, seconds_per_step: float, seconds_per_validation: float = 0.0, done: int = 0
) -> int:
    """The number of a recipe's steps that fit into a time.

    Parameters
    ----------
    recipe : Recipe
    seconds : float
        The remaining time.
    seconds_per_step, seconds_per_validation : float
        Measured times.
    done : int
        Number of steps done.

    Returns
    -------
    int
        Total number of steps: more than are done, and at most the recipe's.
    """
    # The number of validations does not depend on that of steps. Scoring at the end takes as long as a validation.
    validations = Schedule(recipe, recipe.steps).validations_after(done) + (recipe.check_every > 0)
    possible = done + int((seconds - validations * seconds_per_validation) / seconds_per_step)
    return max(1, done + 1, min(recipe.steps, possible))


class StepTimer:
    """Measures the time of a training's first steps, from one order to the next."""

    def __init__(self) -> None:
        self._began: float | None = None
        self._seconds: list[float] = []

    def begin(self) -> None:
        """Start a step, and end the previous one."""
        now = time.monotonic()
        if self._began is not None:
            self._seconds.append(now - self._began)
        self._began = now

    def forget(self) -> None:
        """Ignore the time until the next step starts, for pauses and validations."""
        self._began = None

    @property
    def seconds_per_step(self) -> float | None:
        """Mean time of the steps so far, without the slower first one; None while there are too few."""
        counted = self._seconds[1:]
        if len(counted) < _FEWEST_TIMED or sum(counted) < _SHORTEST_S:
            return None
        return sum(counted) / len(counted)
