"""How long a step of a recipe takes on each device here, measured in a process of its own.

    python -m napari_bonescint.training.runs.step_time train/recipes/quick.toml

prints one JSON object a line and device: ``device`` (``cpu``, ``cuda:0``), ``name`` and ``seconds``.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from napari_bonescint.child_process import end_with_starter
from napari_bonescint.errors import BonescintError
from napari_bonescint.training.data.simulated_examples import samples_per_pixel
from napari_bonescint.training.data.sources import SimulatedStream
from napari_bonescint.training.loop.fabric import describe_acceleration, start_fabric
from napari_bonescint.training.loop.recipe import read_recipe
from napari_bonescint.training.loop.trainer import Trainer

if TYPE_CHECKING:
    from napari_bonescint.training.loop.recipe import Recipe

_WARM_UP, _MEASURED = 1, 2


def devices() -> list[str]:
    """What can be trained on here, the fastest first."""
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return [*(f"cuda:{index}" for index in range(count)), "cpu"]


def seconds_per_step(recipe: Recipe, device: str) -> tuple[float, str]:
    """How long one step takes, with examples at hand.

    Parameters
    ----------
    recipe : Recipe
        What would be trained.
    device : str
        ``cpu`` or ``cuda:N``.

    Returns
    -------
    (float, str)
        Seconds, and what the device is called.

    Raises
    ------
    AccelerationError
        If lightning-fabric is not installed.
    """
    fabric = start_fabric(device)
    # Nothing is drawn from the cases.
    trainer = Trainer(replace(recipe, start=(), start_partial=()), SimulatedStream(Path()), fabric)
    samples = samples_per_pixel(recipe.grid_mm)
    image = torch.randn(recipe.batch, 1, recipe.rows, recipe.columns)
    size = (recipe.batch, samples * recipe.rows, samples * recipe.columns)
    codes = torch.randint(max(2, recipe.outputs), size, dtype=torch.uint8)
    start = 0.0
    for number in range(_WARM_UP + _MEASURED):
        if number == _WARM_UP:
            start = time.perf_counter()
        trainer.train_step(image, codes)  # reads the loss, so that the device has done it
    return (time.perf_counter() - start) / _MEASURED, describe_acceleration(fabric)


def main() -> int:
    """Measure the recipe of the command line on each device."""
    end_with_starter()
    try:
        recipe = read_recipe(Path(sys.argv[1]))
        for device in devices():
            seconds, name = seconds_per_step(recipe, device)
            print(json.dumps({"device": device, "name": name, "seconds": seconds}), flush=True)
    except BonescintError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
