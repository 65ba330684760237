"""Train networks on simulated cases, one after the other.

    bonescint simulate --out data/training --split training --count 500 --workers 2
    bonescint simulate --out data/validation --split validation
    python train/train.py train/recipes/u-net.toml --cases data/training --held-out data/validation --minutes 60
    python train/train.py train/recipes/*.toml --cases data/training --held-out data/validation --minutes 4
    python train/train.py train/recipes/u-net.toml --simulate --workers 16 --held-out data/validation

With --simulate each training example is of a new body, simulated by the workers while the device trains.
Each training goes on from the last checkpoint in RUNS/NAME, or begins. When its time or the recipe's steps are over, or
on Ctrl-C, the averaged weights and their model card are written to --out, calibrated and scored on the held-out cases.
To ship them, copy both files to weights/.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import platform
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from napari_bonescint.commands.simulate import prepare_geometry
from napari_bonescint.errors import BonescintError
from napari_bonescint.inference.devices import choose_device
from napari_bonescint.inference.segmenter import Segmenter
from napari_bonescint.training.acceleration import start_fabric
from napari_bonescint.training.calibration import fit_temperature
from napari_bonescint.training.case_sources import CaseFiles, SimulatedStream
from napari_bonescint.training.checkpoint import publish, resume, save_checkpoint, write_card
from napari_bonescint.training.evaluate import evaluate
from napari_bonescint.training.fit import Progress, Trainer, TrainingError
from napari_bonescint.training.recipe import Recipe, read_recipe
from napari_bonescint.training.reference_sets import SimulatedSet
from napari_bonescint.training.splits import read_splits, seed_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lightning_fabric import Fabric

    from napari_bonescint.training.case_sources import CaseSource

LIMITS = [
    "Research software, not a medical device: not for diagnosis.",
    "Trained on simulated scans only, made from one adult skeleton in many sizes, proportions and poses.",
    "Children, amputations and prostheses were few in training, and there were no patients lying on their side.",
    "Scores on simulated scans say little about real ones; look at the overlay.",
]

_CALIBRATING_CASES = 6


def main() -> int:
    """Train as the command line asks."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("recipes", type=Path, nargs="+", metavar="RECIPE", help="a file of train/recipes/")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--cases", type=Path, help="folder that `bonescint simulate` filled")
    source.add_argument("--simulate", action="store_true", help="simulate a new case for each pair of views")
    parser.add_argument("--held-out", type=Path, required=True, help="folder of cases with other seeds, to score on")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="gets a folder NAME for each (default runs)")
    parser.add_argument("--out", type=Path, help="folder for weights and cards (default: RUNS/NAME)")
    parser.add_argument("--minutes", type=float, default=60, help="end each training after this time (default 60)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (default auto)")
    parser.add_argument("--workers", type=int, default=1, help="processes that make examples (default 1)")
    parser.add_argument(
        "--processes", type=int, default=1, help="processes that train together, each on a GPU if any (default 1)"
    )
    options = parser.parse_args()
    try:
        recipes = [read_recipe(path) for path in options.recipes]
        held_out = sorted(options.held_out.glob("case_*.npz"))
        if not held_out:
            raise TrainingError(f"{options.held_out}: holds no cases to score on; simulate some first.")
        cases = _cases(options, held_out)
        fabric = start_fabric(choose_device(options.device).device, options.processes)
    except BonescintError as error:
        print(error, file=sys.stderr)
        return 1
    failed = 0
    for recipe in recipes:
        try:
            was_interrupted = _train(recipe, cases, held_out, fabric, options)
        except BonescintError as error:
            print(f"{recipe.name}: {error}", file=sys.stderr)
            failed += 1
        else:
            if was_interrupted:
                break
    return 1 if failed else 0


def _cases(options: argparse.Namespace, held_out: Sequence[Path]) -> CaseSource:
    """What to train on, which no held-out case may be part of."""
    if options.simulate:
        if any(read_splits()["training"].holds(seed_of(path)) for path in held_out):
            raise TrainingError(f"{options.held_out}: holds seeds of the training split, which --simulate draws from.")
        return SimulatedStream(prepare_geometry(options.runs))
    paths = sorted(options.cases.glob("case_*.npz"))
    if shared := {path.name for path in paths} & {path.name for path in held_out}:
        raise TrainingError(f"{options.held_out}: {len(shared)} of its cases are trained on too; use other seeds.")
    return CaseFiles(paths)


def _train(
    recipe: Recipe, cases: CaseSource, held_out: Sequence[Path], fabric: Fabric, options: argparse.Namespace
) -> bool:
    """Train, publish and score one network, and say whether Ctrl-C ended it."""
    until = time.monotonic() + 60 * options.minutes
    run = options.runs / recipe.name
    out = options.out or run
    trainer = Trainer(recipe, cases, fabric)
    resumed = resume(trainer, run / "checkpoint.pt")
    for folder in (run, out):
        folder.mkdir(parents=True, exist_ok=True)
    of_what = "new cases" if cases.number is None else f"{cases.number} cases"
    fabric.print(f"{recipe.name}: {of_what}, {'from step ' if resumed else 'step '}{trainer.step}")
    for model in trainer.start:
        fabric.print(f"{recipe.name}: began with {model['tensors']} tensors of {model['model']}")

    def report(progress: Progress) -> None:
        if not fabric.is_global_zero:
            return
        save_checkpoint(trainer, run / "checkpoint.pt")
        with (run / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps({"time": time.time(), "cases": cases.number, **dataclasses.asdict(progress)}) + "\n")
        print(
            f"step {progress.step}/{recipe.steps}  loss {progress.loss:.4f}  {progress.views_per_second:.1f} views/s",
            flush=True,
        )

    was_interrupted = False
    try:
        trainer.fit(until=until, on_progress=report, every=20, workers=options.workers)
    except KeyboardInterrupt:
        was_interrupted = True
        print("interrupted; the weights so far are written")
    if fabric.is_global_zero:
        save_checkpoint(trainer, run / "checkpoint.pt")
        _publish(trainer, recipe, cases, held_out, out, options.device)
    fabric.barrier()
    return was_interrupted


def _publish(
    trainer: Trainer, recipe: Recipe, cases: CaseSource, held_out: Sequence[Path], out: Path, device: str
) -> None:
    """Write the weights and their card, and score them."""
    training = {
        "recipe": dataclasses.asdict(recipe),
        "steps_done": trainer.step,
        "minutes": round(trainer.minutes, 1),
        "started_from": trainer.start,
        "history": [{**stretch, "minutes": round(stretch["minutes"], 1)} for stretch in trainer.history],
        "cases": cases.number,
        "cases_sha256": cases.sha256(),
        "data": "simulated: myo-sim skeleton, napari_bonescint.simulation",
        "torch": torch.__version__,
        "platform": platform.machine(),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    card = publish(trainer.average, recipe, out, training, LIMITS)
    calibrating = SimulatedSet(read_splits()["validation"], tuple(held_out[:_CALIBRATING_CASES]))
    card = dataclasses.replace(card, temperature=fit_temperature(Segmenter(card, device), calibrating))
    card = write_card(dataclasses.replace(card, scores=evaluate(card, held_out, device)), out)
    for score in card.scores:
        value, spread, lowest = score["value"], score["spread"], score["lowest"]
        print(f"{recipe.name}: {score['metric']} {value:.4f} ± {spread:.4f}, lowest {lowest:.4f}")


if __name__ == "__main__":
    raise SystemExit(main())
