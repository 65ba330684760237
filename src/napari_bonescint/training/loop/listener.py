"""What a training tells those who follow it, and asks those who steer it. Imports no torch.

Names of hooks are those of other training loops. There are no epochs here, since examples are drawn without end: one is
a stretch of steps between two reports.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from torch import nn

    from napari_bonescint.inference.model_card import ModelCard
    from napari_bonescint.training.loop.validation import Look


class Order(StrEnum):
    """What is asked for before a step."""

    GO_ON = "go on"
    PAUSE = "pause"
    STOP = "stop"


@dataclass(frozen=True)
class StepPlan:
    """How many of the recipe's steps a time allows.

    Attributes
    ----------
    steps, recipe_steps : int
    minutes : float
        The time.
    seconds_per_step : float
        As measured.
    """

    steps: int
    recipe_steps: int
    minutes: float
    seconds_per_step: float


@dataclass(frozen=True)
class TrainingProgress:
    """How a stretch of steps went.

    Attributes
    ----------
    step, steps : int
        Steps done since the beginning of training, and of how many.
    loss : float
        Mean over the stretch.
    learning_rate : float
    views_per_second : float
    seconds_left : float
        Until the last step and validation, as it seems now.
    """

    step: int
    steps: int
    loss: float
    learning_rate: float
    views_per_second: float
    seconds_left: float


@dataclass(frozen=True)
class FinishedTraining:
    """The weights that a training hands over, and how they came about.

    Attributes
    ----------
    network : torch.nn.Module
    step, steps_done : int
        After which step these were the weights, and how many were taken.
    dice : float or None
        On the validation scans; None if there are none.
    stopped : bool
        Whether it ended before its last step.
    minutes, models, history
        As of the `Trainer`; models are those whose weights it began with.
    """

    network: nn.Module
    step: int
    dice: float | None
    steps_done: int
    stopped: bool
    minutes: float
    models: list[dict[str, Any]]
    history: list[dict[str, Any]]


class TrainingControl:
    """Steers a training; this one lets it run through."""

    def order(self) -> Order:
        """Asked before each step."""
        return Order.GO_ON

    def plan(self, step: int) -> StepPlan | None:  # noqa: ARG002
        """How many steps there are to be, asked before each until it is known; None if that cannot be told yet."""
        return None

    def seconds_left(self, seconds: float, validations: int, *, planned: bool) -> float:  # noqa: ARG002
        """Until the end, with seconds for steps, and validations to come; planned if the number of steps is fixed."""
        return seconds


class TrainingListener:
    """Follows a training. Here no hook does anything; each listener has those that it needs."""

    def on_fit_start(self, step: int, models: Sequence[Mapping[str, Any]], *, resumed: bool) -> None:
        """Training begins with the weights of models, see `checkpoint.start_from`, or goes on after a step."""

    def on_note(self, sentence: str) -> None:
        """Something is not as asked for: a case that cannot be read, a batch that does not fit."""

    def on_plan(self, plan: StepPlan) -> None:
        """The number of steps is fixed."""

    def on_pause(self, step: int) -> None:
        """Training waits."""

    def on_resume(self, step: int) -> None:
        """Training goes on after a pause."""

    def on_train_epoch_end(self, progress: TrainingProgress) -> None:
        """A stretch of steps is done."""

    def on_validation_end(self, step: int, look: Look, picture: Path, *, is_best: bool) -> None:
        """The weights were scored on the validation scans, best of all so far or not, and pictured."""

    def save_checkpoint(self) -> None:
        """Whatever must not be lost is to be saved now: after each stretch, before a pause, with a plan, at the end."""

    def on_interrupt(self) -> None:
        """Ctrl-C has ended the steps."""

    def on_train_end(self) -> None:
        """No more steps are taken."""

    def export_weights(self, finished: FinishedTraining) -> None:
        """These weights are to be handed over."""

    def on_export_end(self, finished: FinishedTraining, card: ModelCard | None, reason: str) -> None:
        """The weights were published with a card, or not at all for a reason."""

    def on_fit_end(self, step: int, steps: int) -> None:
        """All is done, after so many steps of those that were planned."""

    def on_exception(self, error: Exception) -> None:
        """Training cannot go on."""
