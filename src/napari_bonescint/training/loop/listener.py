"""Interfaces of the training loop: listeners that follow a training, and the control that steers it.

Hooks have the names of other training loops. Examples are drawn without end, so an epoch here is the steps between two
reports.
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
    from napari_bonescint.training.loop.validation import ValidationScores


class Order(StrEnum):
    """An order to the training loop before a step."""

    GO_ON = "go on"
    PAUSE = "pause"
    STOP = "stop"


@dataclass(frozen=True)
class StepPlan:
    """The number of a recipe's steps that fit into a time.

    Attributes
    ----------
    steps, recipe_steps : int
        Steps that fit, and steps of the recipe.
    minutes : float
        The available time.
    seconds_per_step : float
        The measured time of a step.
    """

    steps: int
    recipe_steps: int
    minutes: float
    seconds_per_step: float


@dataclass(frozen=True)
class TrainingProgress:
    """Progress of a training at the end of an epoch.

    Attributes
    ----------
    step, steps : int
        Steps done, and steps in all.
    loss : float
        Mean over the epoch.
    learning_rate : float
    views_per_second : float
    seconds_left : float
        Estimate until the end of the last step and validation.
    """

    step: int
    steps: int
    loss: float
    learning_rate: float
    views_per_second: float
    seconds_left: float


@dataclass(frozen=True)
class FinishedTraining:
    """The final weights of a training, with its history.

    Attributes
    ----------
    network : torch.nn.Module
    step, steps_done : int
        The step that these weights are of, and the number of steps done.
    dice : float or None
        Dice on the validation scans; None without validation.
    stopped : bool
        True if the training was stopped before its last step.
    minutes, models, history
        See `Trainer`; models are those whose weights it started from.
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
    """Steers a training; this base class lets all steps run."""

    def order(self) -> Order:
        """The order, requested before each step."""
        return Order.GO_ON

    def plan(self, step: int) -> StepPlan | None:  # noqa: ARG002
        """The number of steps, requested before each step until it is known; None while it is unknown."""
        return None

    def seconds_left(self, seconds: float, validations: int, *, planned: bool) -> float:  # noqa: ARG002
        """Time to the end, from the time of the steps and the number of validations; `planned` if steps are fixed."""
        return seconds


class TrainingListener:
    """Follows a training. Hooks of this base class do nothing; a listener overrides those that it needs."""

    def on_fit_start(self, step: int, models: Sequence[Mapping[str, Any]], *, resumed: bool) -> None:
        """Training starts from the weights of models, see `checkpoint.start_from`, or resumes after a step."""

    def on_note(self, sentence: str) -> None:
        """A note for the user, such as a case that cannot be read, or a batch that does not fit."""

    def on_plan(self, plan: StepPlan) -> None:
        """The number of steps is now fixed."""

    def on_pause(self, step: int) -> None:
        """Training pauses."""

    def on_resume(self, step: int) -> None:
        """Training resumes after a pause."""

    def on_train_epoch_end(self, progress: TrainingProgress) -> None:
        """An epoch is done."""

    def on_validation_end(self, step: int, scores: ValidationScores, picture: Path, *, is_best: bool) -> None:
        """The weights were scored on the validation scans; `is_best` if no earlier weights were better."""

    def save_checkpoint(self) -> None:
        """A checkpoint is due: after each epoch, before a pause, when the steps are planned, and at the end."""

    def on_interrupt(self) -> None:
        """Ctrl-C has stopped the steps."""

    def on_train_end(self) -> None:
        """All steps are done, or training was stopped."""

    def export_weights(self, finished: FinishedTraining) -> None:
        """The final weights are ready for export."""

    def on_export_end(self, finished: FinishedTraining, card: ModelCard | None, reason: str) -> None:
        """The weights were exported with a card, or not exported for a reason."""

    def on_fit_end(self, step: int, steps: int) -> None:
        """The training has ended after `step` of `steps` planned steps."""

    def on_exception(self, error: Exception) -> None:
        """Training has failed with an error."""
