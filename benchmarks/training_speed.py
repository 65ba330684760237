"""How many scans a second FDN-13's training takes, loader included, against a plain loop in the same run.

    python benchmarks/training_speed.py --cases data/training

The plain loop is what one writes first: the network by its definition (dilated convolutions) in channels-last memory,
eager, every pixel of every example, Adam, and the examples made in the loop. Ours is `Trainer.fit`: phases instead of
dilation, of which a random part is computed (`keep_phases` of the recipe), in the precision that the device is good at,
with examples made by other processes. Both take the same examples of the same size; they are timed in turn, so that
both see the same machine. Told are wall-clock and, where other programs share the cores, processor seconds. The
`waiting` is the share of the time in which a step waits for its examples.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch.utils.data import DataLoader

from napari_bonescint.inference.devices import choose_device
from napari_bonescint.networks.fdn import FDN
from napari_bonescint.networks.zoo import build_network
from napari_bonescint.resources import shipped_folder
from napari_bonescint.training.acceleration import start_fabric
from napari_bonescint.training.batches import Batches
from napari_bonescint.training.case_sources import CaseFiles
from napari_bonescint.training.dataset import samples_per_pixel
from napari_bonescint.training.fit import Trainer
from napari_bonescint.training.losses import segmentation_loss, shares
from napari_bonescint.training.recipe import Recipe, read_recipe

if TYPE_CHECKING:
    from collections.abc import Callable

_VIEWS_OF_A_SCAN = 2


@dataclass
class Timing:
    """Scans a second of one way to train, over the rounds.

    Attributes
    ----------
    wall, processor : list of float
        Scans per second of wall-clock, and of processor time of this process and those it started.
    """

    wall: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)

    def add(self, train: Callable[[], int]) -> None:
        """Time what trains on as many views as it returns."""
        start, used = time.perf_counter(), _processor_s()
        views = train()
        self.wall.append(views / _VIEWS_OF_A_SCAN / (time.perf_counter() - start))
        self.processor.append(views / _VIEWS_OF_A_SCAN / (_processor_s() - used))


def plain_loop(recipe: Recipe, cases: CaseFiles, device: str, steps: int) -> Callable[[], int]:
    """What trains for some steps each time it is called, the plain way."""
    network = build_network(recipe.architecture, outputs=recipe.outputs)
    if not isinstance(network, FDN):
        raise TypeError(f"{recipe.architecture} has no plain form to compare with")
    network.computation = "dilated"
    network = network.to(device, memory_format=torch.channels_last).train()
    optimiser = torch.optim.Adam(network.parameters(), lr=recipe.learning_rate)
    batches = _batches(recipe, cases)
    samples = samples_per_pixel(recipe.grid_mm)

    def train() -> int:
        for step in range(steps):
            images, codes, _ = batches[step]
            image = images.to(device, memory_format=torch.channels_last)
            target = shares(codes.to(device), max(2, recipe.outputs), samples)
            loss = segmentation_loss(network(image), target, recipe.dice_weight)
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            loss.item()
        return steps * recipe.batch

    return train


def our_loop(recipe: Recipe, cases: CaseFiles, device: str, steps: int, workers: int) -> Callable[[], int]:
    """What trains for some steps each time it is called, as `bonescint train` does."""
    fabric = start_fabric(device)

    def train() -> int:
        trainer = Trainer(replace(recipe, steps=steps, start=()), cases, fabric)
        trainer.fit(on_progress=lambda _: None, workers=workers)
        return steps * recipe.batch

    return train


def waiting_share(recipe: Recipe, cases: CaseFiles, device: str, steps: int, workers: int) -> float:
    """Share of the time in which steps wait for their examples, once the loader is warm."""
    trainer = Trainer(replace(recipe, steps=steps, start=()), cases, start_fabric(device))
    loader = iter(DataLoader(_batches(recipe, cases), batch_size=None, sampler=range(steps), num_workers=workers))
    next(loader)
    waited = 0.0
    start = asked = time.perf_counter()
    for batch in loader:
        waited += time.perf_counter() - asked
        trainer.train_step(batch.images, batch.codes)
        asked = time.perf_counter()
    return waited / (asked - start)


def _batches(recipe: Recipe, cases: CaseFiles) -> Batches:
    shape = (recipe.rows, recipe.columns)
    return Batches(cases, max(2, recipe.outputs), recipe.grid_mm, shape, recipe.batch, recipe.seed)


def _gain(ours: list[float], plain: list[float]) -> float:
    """Median over the rounds of how many times as fast ours is."""
    return statistics.median(a / b for a, b in zip(ours, plain, strict=True))


def _processor_s() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def main() -> int:
    """Time both and report; 1 if ours is less than 1.5 times as fast."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=Path, required=True, help="folder that `bonescint simulate` filled")
    parser.add_argument("--steps", type=int, default=4, help="in each round (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="of both in turn (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=1, help="that make our examples (default: %(default)s)")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda (default: %(default)s)")
    options = parser.parse_args()
    device = choose_device(options.device).device
    recipe = read_recipe(shipped_folder("train") / "recipes" / "fdn-13.toml")
    cases = CaseFiles(sorted(options.cases.glob("case_*.npz")))
    ways = {
        "plain": (Timing(), plain_loop(recipe, cases, device, options.steps)),
        "ours": (Timing(), our_loop(recipe, cases, device, options.steps, options.workers)),
    }
    for _ in range(options.rounds):
        for timing, train in ways.values():
            timing.add(train)
    for name, (timing, _) in ways.items():
        wall, processor = statistics.median(timing.wall), statistics.median(timing.processor)
        print(f"{name}: {wall:.2f} scans/s, {processor:.2f} scans per processor second")
    ours, plain = ways["ours"][0], ways["plain"][0]
    gains = [_gain(ours.wall, plain.wall), _gain(ours.processor, plain.processor)]
    print(f"gain: {gains[0]:.2f} times by the clock, {gains[1]:.2f} times by processor time")
    share = waiting_share(recipe, cases, device, 2 * options.steps, options.workers)
    print(f"waiting for examples: {100 * share:.0f} % of the time with {options.workers} workers")
    return 0 if gains[0] >= 1.5 else 1


if __name__ == "__main__":
    sys.exit(main())
