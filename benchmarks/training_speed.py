"""Compare the throughput of FDN-13's training, loader included, with that of a plain loop in the same run.

    python benchmarks/training_speed.py --cases data/training

The plain loop is the usual first version: the network by its definition (dilated convolutions) in channels-last memory,
eager, all pixels of all examples, Adam, and examples made in the loop. Ours is `Trainer.fit`. Each row between the two
adds one change to the row above: phases instead of dilation (the same function), of which a random part is computed
(`keep_phases` of the recipe: fewer pixels in a step), worker processes that make the examples, and the precision of
`choose_precision`. All rows use the same examples; they are timed in turn under the same load. The table has scans a
second of wall-clock and of processor time, and the ratios to the plain loop: medians over the rounds.

Then the script measures the time of a step in single precision and in bfloat16, for FDN-13 and for the default model's
network, and the views a second that one worker makes for each, from simulated case files and from a label store.
`waiting` is the share of the time in which steps wait for their examples.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from lightning_fabric import Fabric

from napari_bonescint.corrections.selection import select
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.corrections.store.records.revision import Origin
from napari_bonescint.inference.devices import choose_device
from napari_bonescint.networks.fdn import FDN
from napari_bonescint.networks.zoo import build_network
from napari_bonescint.resources import shipped_folder
from napari_bonescint.simulation.case import Case
from napari_bonescint.training.data.batches import Batch, Batches
from napari_bonescint.training.data.loader import load
from napari_bonescint.training.data.simulated_examples import samples_per_pixel
from napari_bonescint.training.data.sources import CaseSource, CorrectedCases, SimulatedCaseFiles
from napari_bonescint.training.loop.fabric import Precision, choose_precision, start_fabric
from napari_bonescint.training.loop.losses import segmentation_loss, shares
from napari_bonescint.training.loop.recipe import Recipe, read_recipe
from napari_bonescint.training.loop.trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Callable

_VIEWS_OF_A_SCAN = 2
_STORED = 8
_ANY_CASE = SimulatedCaseFiles([Path()])


@dataclass
class Timing:
    """Throughput of one training loop in each round.

    Attributes
    ----------
    wall, processor : list of float
        Scans per second of wall-clock, and of processor time of this process and those it started.
    """

    wall: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)

    def add(self, train: Callable[[], int]) -> None:
        """Time a function that trains and returns its number of views."""
        start, used = time.perf_counter(), _processor_s()
        views = train()
        self.wall.append(views / _VIEWS_OF_A_SCAN / (time.perf_counter() - start))
        self.processor.append(views / _VIEWS_OF_A_SCAN / (_processor_s() - used))


def plain_loop(recipe: Recipe, cases: SimulatedCaseFiles, device: str, steps: int) -> Callable[[], int]:
    """A function that trains some steps with the plain loop."""
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


def our_loop(
    recipe: Recipe, cases: SimulatedCaseFiles, device: str, steps: int, precision: Precision, workers: int
) -> Callable[[], int]:
    """A function that trains some steps as `bonescint train` does."""
    fabric = _fabric(device, precision)

    def train() -> int:
        trainer = Trainer(replace(recipe, steps=steps, start=()), cases, fabric)
        trainer.fit(workers=workers)
        return steps * recipe.batch

    return train


def step_seconds(recipe: Recipe, batch: Batch, device: str, precision: Precision, steps: int) -> tuple[float, float]:
    """Median wall-clock and processor seconds of a step, without making examples."""
    trainer = Trainer(replace(recipe, steps=steps + 1, start=()), _ANY_CASE, _fabric(device, precision))
    times = []
    for _ in range(steps + 1):
        start, used = time.perf_counter(), _processor_s()
        trainer.train_step(batch.images, batch.codes)
        times.append((time.perf_counter() - start, _processor_s() - used))
    wall, processor = zip(*times[1:], strict=True)
    return statistics.median(wall), statistics.median(processor)


def views_per_second(batches: Batches, steps: int) -> tuple[float, float]:
    """Views that one worker makes in a second of wall-clock, and of processor time."""
    start, used = time.perf_counter(), _processor_s()
    views = sum(len(batches[step].images) for step in range(steps))
    return views / (time.perf_counter() - start), views / (_processor_s() - used)


def store_of(cases: SimulatedCaseFiles, folder: Path) -> CorrectedCases:
    """Some of the cases, counted, as a label store with reviewed masks."""
    store = LabelStore.create(folder / "store")
    for number, path in enumerate(cases.paths[:_STORED]):
        case = Case.load(path)
        key = store.add(case.count(np.random.default_rng(number), 1e6))
        store.save(key, case.regions, Origin.empty(), annotator="A. Annotator", reviewed=True)
    chosen = select([store])
    return CorrectedCases(chosen.scans, chosen.sha256)


def waiting_share(recipe: Recipe, cases: SimulatedCaseFiles, device: str, steps: int, workers: int) -> float:
    """Share of the time in which steps wait for their examples, after the loader has started."""
    trainer = Trainer(replace(recipe, steps=steps, start=()), cases, start_fabric(device))
    loader = load(_batches(recipe, cases), range(steps), workers)
    next(loader)
    waited = 0.0
    start = asked = time.perf_counter()
    for batch in loader:
        waited += time.perf_counter() - asked
        trainer.train_step(batch.images, batch.codes)
        asked = time.perf_counter()
    return waited / (asked - start)


def _fabric(device: str, precision: Precision) -> Fabric:
    kind, _, index = device.partition(":")
    fabric = Fabric(accelerator=kind, devices=1 if kind == "cpu" else [int(index or 0)], precision=precision)
    fabric.launch()
    return fabric


def _batches(recipe: Recipe, cases: CaseSource) -> Batches:
    shape = (recipe.rows, recipe.columns)
    return Batches(cases, max(2, recipe.outputs), recipe.grid_mm, shape, recipe.batch, recipe.seed)


def _gain(ours: list[float], plain: list[float]) -> float:
    """Median ratio of throughput over the rounds."""
    return statistics.median(a / b for a, b in zip(ours, plain, strict=True))


def _processor_s() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def main() -> int:
    """Time both and report; return 1 if ours is less than 1.5 times as fast."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=Path, required=True, help="folder that `bonescint simulate` filled")
    parser.add_argument("--steps", type=int, default=4, help="in each round (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="of both in turn (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=1, help="that make our examples (default: %(default)s)")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda (default: %(default)s)")
    options = parser.parse_args()
    device = choose_device(options.device).device
    recipe = _recipe("fdn-13")
    cases = SimulatedCaseFiles(sorted(options.cases.glob("case_*.npz")))
    best = choose_precision(device)
    all_phases = replace(recipe, keep_phases=(4,) * len(recipe.keep_phases))
    loops = {
        "plain": plain_loop(recipe, cases, device, options.steps),
        "phases": our_loop(all_phases, cases, device, options.steps, "32-true", 0),
        "some phases": our_loop(recipe, cases, device, options.steps, "32-true", 0),
        "loader": our_loop(recipe, cases, device, options.steps, "32-true", options.workers),
        f"ours ({best})": our_loop(recipe, cases, device, options.steps, best, options.workers),
    }
    if best == "32-true":
        del loops["loader"]
    timings = {name: Timing() for name in loops}
    for _ in range(options.rounds):
        for name, train in loops.items():
            timings[name].add(train)
    plain, *_, ours = timings.values()
    for name, timing in timings.items():
        print(
            f"{name:16} {statistics.median(timing.wall):6.2f} scans/s {_gain(timing.wall, plain.wall):5.2f} x   "
            f"{statistics.median(timing.processor):6.2f} per processor second "
            f"{_gain(timing.processor, plain.processor):5.2f} x",
            flush=True,
        )
    share = waiting_share(recipe, cases, device, 2 * options.steps, options.workers)
    print(f"waiting for examples: {100 * share:.0f} % of the time with {options.workers} workers", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        _report_supply(cases, store_of(cases, Path(folder)), device, options.steps)
    return 0 if _gain(ours.wall, plain.wall) >= 1.5 else 1


def _report_supply(cases: SimulatedCaseFiles, corrected: CorrectedCases, device: str, steps: int) -> None:
    """Measure the views that a step needs, and the views that a worker makes."""
    print("views a second, by the clock and of processor time:")
    precisions: tuple[Precision, ...] = ("32-true", "bf16-mixed")
    for name in ("fdn-13", "phase-u-net-regions"):
        recipe = _recipe(name)
        batch = _batches(recipe, cases)[0]
        for precision in precisions:
            seconds = step_seconds(recipe, batch, device, precision, steps)
            taken = [recipe.batch / each for each in seconds]
            print(f"  step of {name:20} {precision:11} {taken[0]:7.2f} {taken[1]:7.2f}", flush=True)
        sources: dict[str, CaseSource] = {"case files": cases, "a label store": corrected}
        for what, source in sources.items():
            made = views_per_second(_batches(recipe, source), steps)
            print(f"  one worker, from {what:13} for it     {made[0]:7.2f} {made[1]:7.2f}", flush=True)
    print("a device with V views a second needs V divided by the views of one worker")


def _recipe(name: str) -> Recipe:
    return read_recipe(shipped_folder("train") / "recipes" / f"{name}.toml")


if __name__ == "__main__":
    sys.exit(main())
