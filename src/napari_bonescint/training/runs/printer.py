"""Print the events of a training on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_bonescint.text.formatting import duration
from napari_bonescint.training.loop.listener import TrainingListener
from napari_bonescint.training.runs.run_status import describe_data

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from napari_bonescint.inference.model_card import ModelCard
    from napari_bonescint.training.data.training_data import TrainingData
    from napari_bonescint.training.loop.listener import FinishedTraining, StepPlan, TrainingProgress
    from napari_bonescint.training.loop.recipe import Recipe
    from napari_bonescint.training.loop.validation import ValidationScores


class Printer(TrainingListener):
    """Prints the events of a training; `request` is the file by which it is paused and stopped."""

    def __init__(self, recipe: Recipe, material: TrainingData, request: Path) -> None:
        self._recipe, self._material, self._request = recipe, material, request

    def on_fit_start(self, step: int, models: Sequence[Mapping[str, Any]], *, resumed: bool) -> None:
        """Print the training data and the initial models."""
        cases, selection = self._material.source(self._recipe.simulated_share).number, self._material.selection
        of_what = "new cases" if cases is None else f"{cases} cases"
        self._print(f"{of_what}, {'from step ' if resumed else 'step '}{step}")
        if selection is not None:
            self._print(describe_data(self._material.summary()))
        for model in models:
            of = f" of {model['of']}" if "of" in model else ""
            self._print(f"started from {model['tensors']}{of} tensors of {model['model']}")
        for case, why in selection.left_out if selection is not None else ():
            self._print(f"left out case {case}: {why}")

    def on_note(self, sentence: str) -> None:
        """Print the note."""
        self._print(sentence)

    def on_plan(self, plan: StepPlan) -> None:
        """Print the number of steps."""
        self._print(
            f"{plan.steps} of the recipe's {plan.recipe_steps} steps ({plan.seconds_per_step:.2g} s each) fit into "
            f"{plan.minutes:g} minutes; this number is now fixed, and the learning rate falls over these steps"
        )

    def on_pause(self, step: int) -> None:
        """Print how to resume."""
        print(f"paused at step {step}, until {self._request} is removed", flush=True)

    def on_train_epoch_end(self, progress: TrainingProgress) -> None:
        """Print loss, throughput and remaining time."""
        print(
            f"step {progress.step}/{progress.steps}  loss {progress.loss:.4f}  "
            f"{progress.views_per_second:.1f} views/s  {duration(progress.seconds_left)} left",
            flush=True,
        )

    def on_validation_end(self, step: int, scores: ValidationScores, picture: Path, *, is_best: bool) -> None:  # noqa: ARG002
        """Print the score."""
        best = ", the best so far" * is_best
        print(f"step {step}: Dice on validation scans {scores.dice.mean:.4f}{best}", flush=True)

    def on_interrupt(self) -> None:
        """Print that scoring follows."""
        print("interrupted; scoring the weights so far", flush=True)

    def on_export_end(self, finished: FinishedTraining, card: ModelCard | None, reason: str) -> None:  # noqa: ARG002
        """Print scores and file, or the reason why there are none."""
        if card is None:
            self._print(reason)
            return
        for score in card.scores:
            value, spread, lowest = score["value"], score["spread"], score["lowest"]
            self._print(f"{score['metric']} {value:.4f} ± {spread:.4f}, lowest {lowest:.4f}")
        print(f"-> {card.weights_path}")

    def on_fit_end(self, step: int, steps: int) -> None:
        """Print how to continue after a stop."""
        if step < steps:
            print(f"{step} of {steps} steps are done; the same command continues")

    def _print(self, line: str) -> None:
        print(f"{self._recipe.name}: {line}", flush=True)
