"""How a training is steered: by requests in its folder, by Ctrl-C, and by the time that it may take."""

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
    from napari_bonescint.training.loop.validation import Look
    from napari_bonescint.training.runs.run_folder import RunFolder


class Steering(TrainingControl, TrainingListener):
    """Steers a training by the requests in its folder, and plans its steps by the time.

    Parameters
    ----------
    run : RunFolder
    recipe : Recipe
    minutes : float or None
        How long the training may take, pauses not counted; None for as long as its steps take.

    Attributes
    ----------
    is_stopped : bool
        Whether somebody ended it before its last step.
    is_interrupted : bool
        Whether that was by Ctrl-C.
    """

    def __init__(self, run: RunFolder, recipe: Recipe, minutes: float | None) -> None:
        self._run, self._recipe, self._minutes = run, recipe, minutes
        self._timer = StepTimer()
        self._began = self._paused_at = time.monotonic()
        self._validation_s = 0.0
        self.is_stopped = self.is_interrupted = False

    def order(self) -> Order:
        """What is requested."""
        request = self._run.requested()
        self.is_stopped |= request == "stop"
        if self.is_stopped:
            return Order.STOP
        if request == "pause":
            return Order.PAUSE
        self._timer.begin()
        return Order.GO_ON

    def plan(self, step: int) -> StepPlan | None:
        """How many steps the time allows, once some were timed."""
        seconds_per_step = self._timer.seconds_per_step
        if self._minutes is None or seconds_per_step is None:
            return None
        steps = steps_within(self._recipe, self._time_left(), seconds_per_step, self._validation_s, step)
        return StepPlan(steps, self._recipe.steps, self._minutes, seconds_per_step)

    def seconds_left(self, seconds: float, validations: int, *, planned: bool) -> float:
        """With validations as long as the last one; while nothing is planned, no longer than the time allows."""
        left = seconds + self._validation_s * validations
        return left if planned or self._minutes is None else min(left, max(0.0, self._time_left()))

    def on_pause(self, step: int) -> None:  # noqa: ARG002
        """The clock stops."""
        self._paused_at = time.monotonic()
        self._timer.forget()

    def on_resume(self, step: int) -> None:  # noqa: ARG002
        """The clock goes on."""
        self._began += time.monotonic() - self._paused_at

    def on_train_epoch_end(self, progress: TrainingProgress) -> None:  # noqa: ARG002
        """What comes now is no step."""
        self._timer.forget()

    def on_validation_end(self, step: int, look: Look, picture: Path, *, is_best: bool) -> None:  # noqa: ARG002
        """The next one will take as long."""
        self._validation_s = look.seconds

    @contextmanager
    def ctrl_c(self) -> Iterator[None]:
        """Let Ctrl-C end training after the step that is under way; a second one ends it at once."""
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
