"""Measure the time of a recipe's step on each device of this computer, in a separate process.

    python -m napari_bonescint.training.runs.step_time train/recipes/quick.toml

prints one line of JSON for each device: ``device`` (``cpu``, ``cuda:0``), ``name`` and ``seconds``.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from napari_bonescint.errors import BonescintError
from napari_bonescint.inference.devices import devices
from napari_bonescint.processes.child import end_with_starter
from napari_bonescint.training.data.simulated_examples import samples_per_pixel
from napari_bonescint.training.data.sources import SimulatedStream
from napari_bonescint.training.loop.fabric import describe_acceleration, start_fabric
from napari_bonescint.training.loop.recipe import read_recipe
from napari_bonescint.training.loop.trainer import Trainer

if TYPE_CHECKING:
    from napari_bonescint.training.loop.recipe import Recipe

_WARM_UP, _MEASURED = 1, 2


def seconds_per_step(recipe: Recipe, device: str) -> tuple[float, str]:
    """Measure the time of one step without making examples.

    Parameters
    ----------
    recipe : Recipe
    device : str
        ``cpu`` or ``cuda:N``.

    Returns
    -------
    (float, str)
        Seconds, and the name of the device.

    Raises
    ------
    AccelerationError
        If lightning-fabric is not installed.
    """
    fabric = start_fabric(device)
    # The empty source of cases is never used.
    trainer = Trainer(replace(recipe, start=(), start_partial=()), SimulatedStream(Path()), fabric)
    samples = samples_per_pixel(recipe.grid_mm)
    image = torch.randn(recipe.batch, trainer.network.inputs, recipe.rows, recipe.columns)
    size = (recipe.batch, samples * recipe.rows, samples * recipe.columns)
    codes = torch.randint(max(2, recipe.outputs), size, dtype=torch.uint8)
    start = 0.0
    for number in range(_WARM_UP + _MEASURED):
        if number == _WARM_UP:
            start = time.perf_counter()
        trainer.train_step(image, codes)  # reads the loss, which waits for the device
    return (time.perf_counter() - start) / _MEASURED, describe_acceleration(fabric)


def main() -> int:
    """Measure the recipe given on the command line on each device."""
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
