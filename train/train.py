"""Train a network on simulated cases.

    python train/simulate.py --out data/cases --count 500 --workers 2
    python train/simulate.py --out data/held-out --first 0 --count 20
    python train/train.py train/recipes/fdn-13-regions.toml --cases data/cases --held-out data/held-out --minutes 60

Training goes on from the last checkpoint in --run, or begins. When the time or the recipe's steps are over, or on
Ctrl-C, the averaged weights and their model card are written to --out and scored on the held-out cases. To ship them,
copy both files to weights/.
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

import torch

from napari_bonescint.errors import BonescintError
from napari_bonescint.inference.devices import choose_device
from napari_bonescint.training.checkpoint import hash_files, publish, resume, save_checkpoint, write_card
from napari_bonescint.training.evaluate import evaluate
from napari_bonescint.training.fit import Progress, Trainer, TrainingError
from napari_bonescint.training.recipe import read_recipe

LIMITS = [
    "Research software, not a medical device: not for diagnosis.",
    "Trained on simulated scans only, made from one adult skeleton in many sizes and poses.",
    "Not trained on children, amputations, prostheses, or patients lying on their side.",
    "Scores on simulated scans say little about real ones; look at the overlay.",
]


def main() -> int:
    """Train as the command line asks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", type=Path, help="a file of train/recipes/")
    parser.add_argument("--cases", type=Path, required=True, help="folder that train/simulate.py filled")
    parser.add_argument("--held-out", type=Path, required=True, help="folder of cases with other seeds, to score on")
    parser.add_argument("--run", type=Path, help="folder for checkpoint and log (default runs/NAME)")
    parser.add_argument("--out", type=Path, help="folder for weights and card (default: the run's)")
    parser.add_argument("--minutes", type=float, default=60, help="end after this time (default 60)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (default auto)")
    parser.add_argument("--workers", type=int, default=1, help="processes that make examples (default 1)")
    options = parser.parse_args()
    try:
        return _train(options)
    except BonescintError as error:
        print(error, file=sys.stderr)
        return 1


def _train(options: argparse.Namespace) -> int:
    until = time.monotonic() + 60 * options.minutes
    recipe = read_recipe(options.recipe)
    cases, held_out = (sorted(folder.glob("case_*.npz")) for folder in (options.cases, options.held_out))
    if not held_out:
        raise TrainingError(f"{options.held_out}: holds no cases to score on; simulate some first.")
    if shared := {path.name for path in cases} & {path.name for path in held_out}:
        raise TrainingError(f"{options.held_out}: {len(shared)} of its cases are trained on too; use other seeds.")
    device = choose_device(options.device)
    run = options.run or Path("runs") / recipe.name
    out = options.out or run
    for folder in (run, out):
        folder.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(recipe, cases, device.device)
    resumed = resume(trainer, run / "checkpoint.pt")
    print(f"{recipe.name}: {len(cases)} cases, {device.reason}, {'from step ' if resumed else 'step '}{trainer.step}")

    def report(progress: Progress) -> None:
        save_checkpoint(trainer, run / "checkpoint.pt")
        with (run / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps({"time": time.time(), "cases": len(cases), **dataclasses.asdict(progress)}) + "\n")
        print(
            f"step {progress.step}/{recipe.steps}  loss {progress.loss:.4f}  {progress.views_per_second:.1f} views/s",
            flush=True,
        )

    try:
        trainer.fit(until=until, on_progress=report, every=100, workers=options.workers)
    except KeyboardInterrupt:
        print("interrupted; the weights so far are written")
    save_checkpoint(trainer, run / "checkpoint.pt")
    training = {
        "recipe": dataclasses.asdict(recipe),
        "steps_done": trainer.step,
        "cases": len(cases),
        "cases_sha256": hash_files(cases),
        "data": "simulated: myo-sim skeleton, napari_bonescint.simulation",
        "device": device.reason,
        "torch": torch.__version__,
        "platform": platform.machine(),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    card = publish(trainer.average, recipe, out, training, LIMITS)
    card = write_card(dataclasses.replace(card, scores=evaluate(card, held_out, options.device)), out)
    for score in card.scores:
        print(f"{score['metric']} {score['value']:.4f} ± {score['spread']:.4f}, lowest {score['lowest']:.4f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
