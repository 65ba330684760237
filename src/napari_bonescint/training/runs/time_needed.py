"""How long a training takes on this computer."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from napari_bonescint.networks.zoo import build_network
from napari_bonescint.text import counted, duration
from napari_bonescint.training.loop.schedule import Schedule, steps_within
from napari_bonescint.training.loop.validation import has_validation, look_at
from napari_bonescint.training.runs.step_time import seconds_per_step

if TYPE_CHECKING:
    from napari_bonescint.training.data.training_data import TrainingData
    from napari_bonescint.training.loop.recipe import Recipe


def time_needed(
    recipe: Recipe, material: TrainingData | None, device: str, minutes: float | None = None, trainings: int = 1
) -> str:
    """Measure some steps and a look, and say how long all of them take, in words.

    Parameters
    ----------
    recipe : Recipe
    material : TrainingData or None
        Whose validation scans are looked at; without it, what looks take is left out, and that is said.
    device : str
        ``cpu`` or ``cuda:N``.
    minutes : float, optional
        The time that a training may take; without it, all steps are taken.
    trainings : int
        How many there are, equally long.
    """
    step_s, hardware = seconds_per_step(recipe, device)
    look_s = None if material is None else _seconds_per_look(recipe, material, device)
    steps = recipe.steps if minutes is None else steps_within(recipe, 60 * minutes, step_s, look_s or 0.0)
    schedule = Schedule(recipe, steps)
    # The start is looked at, too, and scoring the weights at the end takes as long as a look.
    looks = schedule.looks_after(0) + 2
    seconds = steps * step_s + looks * (look_s or 0.0)
    of = "" if steps == recipe.steps else f" of the recipe's {recipe.steps}"
    what = f"{counted(steps, 'step')}{of} of {step_s:.2g} s"
    if look_s:
        what += f" and {counted(looks, 'look')} of {look_s:.2g} s"
    if trainings > 1:
        what = f"{trainings} trainings of {what}"
    apart = "" if look_s or recipe.check_every == 0 else ", looks at the validation scans apart"
    return f"{what} on {hardware} take about {duration(trainings * seconds)}{apart}."


def _seconds_per_look(recipe: Recipe, material: TrainingData, device: str) -> float | None:
    if recipe.check_every == 0 or not has_validation(material):
        return None
    network = build_network(recipe.architecture, outputs=recipe.outputs)
    began = time.monotonic()
    look_at(network, recipe, material, device)
    return time.monotonic() - began
