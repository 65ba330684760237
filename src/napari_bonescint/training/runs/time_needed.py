"""Estimate the duration of a training on this computer."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from napari_bonescint.networks.zoo import build_network
from napari_bonescint.text.formatting import counted, duration
from napari_bonescint.training.loop.schedule import Schedule, steps_within
from napari_bonescint.training.loop.validation import has_validation, validate
from napari_bonescint.training.runs.step_time import seconds_per_step

if TYPE_CHECKING:
    from napari_bonescint.training.data.training_data import TrainingData
    from napari_bonescint.training.loop.recipe import Recipe


def time_needed(
    recipe: Recipe, material: TrainingData | None, device: str, minutes: float | None = None, trainings: int = 1
) -> str:
    """Measure some steps and one validation, and describe the duration of the whole training in one sentence.

    Parameters
    ----------
    recipe : Recipe
    material : TrainingData or None
        Data with the validation scans; without it, the duration does not include validations.
    device : str
        ``cpu`` or ``cuda:N``.
    minutes : float, optional
        Time limit of a training; without it, all steps count.
    trainings : int
        Number of equal trainings.
    """
    step_s, hardware = seconds_per_step(recipe, device)
    validation_s = None if material is None else _seconds_per_validation(recipe, material, device)
    steps = recipe.steps if minutes is None else steps_within(recipe, 60 * minutes, step_s, validation_s or 0.0)
    # The start is validated, too, and scoring the weights at the end takes as long as a validation.
    validations = Schedule(recipe, steps).validations_after(0) + 2
    seconds = steps * step_s + validations * (validation_s or 0.0)
    of = "" if steps == recipe.steps else f" of the recipe's {recipe.steps}"
    work = f"{counted(steps, 'step')}{of} of {step_s:.2g} s"
    if validation_s:
        work += f" and {counted(validations, 'validation')} of {validation_s:.2g} s"
    if trainings > 1:
        work = f"{trainings} trainings of {work}"
    without = "" if validation_s or recipe.check_every == 0 else ", without validations"
    return f"{work} on {hardware} take about {duration(trainings * seconds)}{without}."


def _seconds_per_validation(recipe: Recipe, material: TrainingData, device: str) -> float | None:
    if recipe.check_every == 0 or not has_validation(material):
        return None
    network = build_network(recipe.architecture, outputs=recipe.outputs)
    began = time.monotonic()
    validate(network, recipe, material, device)
    return time.monotonic() - began
