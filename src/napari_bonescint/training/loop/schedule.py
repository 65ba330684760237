"""How many steps a training takes, and how the learning rate and the looks lie over them."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_bonescint.training.loop.recipe import Recipe

REPORT_EVERY = 10
"""Steps between two reports, which are when there can be a look."""

_LOWEST_SHARE = 0.01
_FEWEST_TIMED, _SHORTEST_S = 8, 1.0


@dataclass(frozen=True)
class Schedule:
    """A recipe over a number of steps: its own, or fewer where the time does not allow as many.

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
        """Steps over which the rate rises: the recipe's, but at most a quarter of a training that is cut short."""
        own = self.recipe.warm_up
        return own if self.steps >= self.recipe.steps else min(own, self.steps // 4)

    @property
    def check_every(self) -> int:
        """Steps between two looks, of which there are as many as the recipe has; 0 for none."""
        every = self.recipe.check_every
        if every == 0 or self.steps >= self.recipe.steps:
            return every
        return max(REPORT_EVERY, round(every * self.steps / self.recipe.steps / REPORT_EVERY) * REPORT_EVERY)

    def learning_rate(self, step: int) -> float:
        """Rate of a step: it rises over the warm-up, and then falls along a cosine until the last step."""
        highest = self.recipe.learning_rate
        if step < self.warm_up:
            return highest * (step + 1) / self.warm_up
        done = (step - self.warm_up) / max(1, self.steps - self.warm_up)
        cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
        return highest * (_LOWEST_SHARE + (1 - _LOWEST_SHARE) * cosine)

    def looks_after(self, step: int) -> int:
        """How many looks are still to come after a step, with the one at the end."""
        if self.recipe.check_every == 0:
            return 0
        return -(-(self.steps - step) // self.check_every)


def steps_within(
    recipe: Recipe, seconds: float, seconds_per_step: float, seconds_per_look: float = 0.0, done: int = 0
) -> int:
    """How many steps of a recipe a time allows.

    Parameters
    ----------
    recipe : Recipe
    seconds : float
        That are left.
    seconds_per_step, seconds_per_look : float
        As measured.
    done : int
        Steps that were taken already.

    Returns
    -------
    int
        In all: more than are done, and at most the recipe's.
    """
    # As many looks as the recipe has, however few the steps, and scoring at the end, which takes as long as one.
    looks = Schedule(recipe, recipe.steps).looks_after(done) + (recipe.check_every > 0)
    possible = done + int((seconds - looks * seconds_per_look) / seconds_per_step)
    return max(1, done + 1, min(recipe.steps, possible))


class StepTimer:
    """Times the first steps of a training, between one order and the next."""

    def __init__(self) -> None:
        self._began: float | None = None
        self._seconds: list[float] = []

    def begin(self) -> None:
        """A step begins, which ends the one before."""
        now = time.monotonic()
        if self._began is not None:
            self._seconds.append(now - self._began)
        self._began = now

    def forget(self) -> None:
        """Something besides steps takes time now; what passes until the next step begins does not count."""
        self._began = None

    @property
    def seconds_per_step(self) -> float | None:
        """Mean over the steps so far but the first, which is slower; None while there are too few to tell."""
        counted = self._seconds[1:]
        if len(counted) < _FEWEST_TIMED or sum(counted) < _SHORTEST_S:
            return None
        return sum(counted) / len(counted)
