"""Steer a training by requests in its folder, by Ctrl-C, and by a time limit."""

from __future__ import annotations

import signal
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from napari_bonescint.training.loop.listener import Order, StepPlan, TrainingControl, TrainingListener
from napari_bonescint.training.loop.schedule import StepTimer, steps_within

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from napari_bonescint.training.loop.listener import TrainingProgress
    from napari_bonescint.training.loop.recipe import Recipe
    from napari_bonescint.training.loop.validation import ValidationScores
    from napari_bonescint.training.runs.run_folder import RunFolder


class Steering(TrainingControl, TrainingListener):
    """Steers a training by the requests in its folder, and plans its number of steps from the time limit.

    Parameters
    ----------
    run : RunFolder
    recipe : Recipe
    minutes : float or None
        Time limit without pauses; None for no limit.

    Attributes
    ----------
    is_stopped : bool
        True if the user stopped the training before its last step.
    is_interrupted : bool
        True if the user stopped it with Ctrl-C.
    """

    def __init__(self, run: RunFolder, recipe: Recipe, minutes: float | None) -> None:
        self._run, self._recipe, self._minutes = run, recipe, minutes
        self._timer = StepTimer()
        self._began = self._paused_at = time.monotonic()
        self._validation_s = 0.0
        self.is_stopped = self.is_interrupted = False

    def order(self) -> Order:
        """The order from the request in the folder."""
        request = self._run.requested()
        self.is_stopped |= request == "stop"
        if self.is_stopped:
            return Order.STOP
        if request == "pause":
            return Order.PAUSE
        self._timer.begin()
        return Order.GO_ON

    def plan(self, step: int) -> StepPlan | None:
        """The number of steps that fit into the time limit, once some were timed."""
        seconds_per_step = self._timer.seconds_per_step
        if self._minutes is None or seconds_per_step is None:
            return None
        steps = steps_within(self._recipe, self._time_left(), seconds_per_step, self._validation_s, step)
        return StepPlan(steps, self._recipe.steps, self._minutes, seconds_per_step)

    def seconds_left(self, seconds: float, validations: int, *, planned: bool) -> float:
        """Time of the steps and validations, the latter as long as the last one; limited by the time limit."""
        left = seconds + self._validation_s * validations
        return left if planned or self._minutes is None else min(left, max(0.0, self._time_left()))

    def on_pause(self, step: int) -> None:  # noqa: ARG002
        """Stop the clock."""
        self._paused_at = time.monotonic()
        self._timer.forget()

    def on_resume(self, step: int) -> None:  # noqa: ARG002
        """Start the clock again."""
        self._began += time.monotonic() - self._paused_at

    def on_train_epoch_end(self, progress: TrainingProgress) -> None:  # noqa: ARG002
        """Ignore the time until the next step."""
        self._timer.forget()

    def on_validation_end(self, step: int, scores: ValidationScores, picture: Path, *, is_best: bool) -> None:  # noqa: ARG002
        """Keep the duration of the validation, as an estimate of the next ones."""
        self._validation_s = scores.seconds

    @contextmanager
    def ctrl_c(self) -> Iterator[None]:
        """Context in which Ctrl-C stops training after the present step; a second Ctrl-C stops it at once."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def stop(*_signal: object) -> None:
            if self.is_stopped:
                raise KeyboardInterrupt
            self.is_stopped = self.is_interrupted = True

        before = signal.signal(signal.SIGINT, stop)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def _time_left(self) -> float:
        return 60 * (self._minutes or 0.0) - (time.monotonic() - self._began)
