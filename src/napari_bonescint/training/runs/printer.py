"""What a training says on the terminal. Imports no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_bonescint.text import duration
from napari_bonescint.training.loop.listener import TrainingListener
from napari_bonescint.training.runs.run_status import describe_data

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from napari_bonescint.inference.model_card import ModelCard
    from napari_bonescint.training.data.training_data import TrainingData
    from napari_bonescint.training.loop.listener import FinishedTraining, StepPlan, TrainingProgress
    from napari_bonescint.training.loop.recipe import Recipe
    from napari_bonescint.training.loop.validation import Look


class Printer(TrainingListener):
    """Prints how a training goes.

    Parameters
    ----------
    recipe : Recipe
    material : TrainingData
    request : Path
        File by which others steer it.
    """

    def __init__(self, recipe: Recipe, material: TrainingData, request: Path) -> None:
        self._recipe, self._material, self._request = recipe, material, request

    def on_fit_start(self, step: int, models: Sequence[Mapping[str, Any]], *, resumed: bool) -> None:
        """What is trained on, and with what it begins."""
        cases, selection = self._material.source(self._recipe.simulated_share).number, self._material.selection
        of_what = "new cases" if cases is None else f"{cases} cases"
        self._print(f"{of_what}, {'from step ' if resumed else 'step '}{step}")
        if selection is not None:
            self._print(describe_data(self._material.summary()))
        for model in models:
            of = f" of {model['of']}" if "of" in model else ""
            self._print(f"began with {model['tensors']}{of} tensors of {model['model']}")
        for case, why in selection.left_out if selection is not None else ():
            self._print(f"left out case {case}: {why}")

    def on_note(self, sentence: str) -> None:
        """The sentence."""
        self._print(sentence)

    def on_plan(self, plan: StepPlan) -> None:
        """How many steps there are."""
        self._print(
            f"{plan.minutes:g} minutes are time for {plan.steps} of the recipe's {plan.recipe_steps} steps "
            f"({plan.seconds_per_step:.2g} s each); the learning rate falls over these, however long they take from "
            "now on"
        )

    def on_pause(self, step: int) -> None:
        """How to go on."""
        print(f"paused at step {step}, until {self._request} is removed", flush=True)

    def on_train_epoch_end(self, progress: TrainingProgress) -> None:
        """Loss, speed and time."""
        print(
            f"step {progress.step}/{progress.steps}  loss {progress.loss:.4f}  "
            f"{progress.views_per_second:.1f} views/s  {duration(progress.seconds_left)} left",
            flush=True,
        )

    def on_validation_end(self, step: int, look: Look, picture: Path, *, is_best: bool) -> None:  # noqa: ARG002
        """The score."""
        best = ", the best so far" * is_best
        print(f"step {step}: Dice on validation scans {look.dice.mean:.4f}{best}", flush=True)

    def on_interrupt(self) -> None:
        """Why it takes a moment."""
        print("interrupted; the weights so far are being scored", flush=True)

    def on_export_end(self, finished: FinishedTraining, card: ModelCard | None, reason: str) -> None:  # noqa: ARG002
        """Scores and file, or why there are none."""
        if card is None:
            self._print(reason)
            return
        for score in card.scores:
            value, spread, lowest = score["value"], score["spread"], score["lowest"]
            self._print(f"{score['metric']} {value:.4f} ± {spread:.4f}, lowest {lowest:.4f}")
        print(f"-> {card.weights_path}")

    def on_fit_end(self, step: int, steps: int) -> None:
        """What is left to do."""
        if step < steps:
            print(f"{step} of {steps} steps are done; the same command does the rest")

    def _print(self, line: str) -> None:
        print(f"{self._recipe.name}: {line}", flush=True)
