"""Measure the differences in Dice between two trainings that differ only in their seed, patient by patient.

    nice -n 19 python benchmarks/seed_spread.py --work data/seeds

The recipe `quick` fine-tunes the default model on 24 corrected scans of the hospital `elsewhere`, with each of two
seeds. Every 25 steps, both models are scored on patients of the hospital that neither saw. The differences, for each
patient and validation, are those of a comparison without a true gain. They are written to benchmarks/seed_spread.json,
from which `verdict_rates.py` draws its trials. Finished parts are kept in --work, so the same command continues after a
stop.
"""

from __future__ import annotations

import argparse
import json
import statistics
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from elsewhere import HELD_OUT, TO_CORRECT, DepartmentSkeleton, scan_department, simulate_department
from learning_curve import CorrectedThere
from napari_bonescint.commands.simulate import prepare_geometry
from napari_bonescint.evaluation.reference_sets import Reference
from napari_bonescint.evaluation.view_scores import segment_reference
from napari_bonescint.files.atomic import write_bytes_atomically
from napari_bonescint.inference.model_card import DEFAULT_MODEL
from napari_bonescint.inference.model_registry import find_model
from napari_bonescint.inference.segmenter import Segmenter
from napari_bonescint.resources import shipped_folder
from napari_bonescint.simulation.case import Case
from napari_bonescint.simulation.geometry import BonePoints, load_model
from napari_bonescint.simulation.splits import case_path
from napari_bonescint.training.loop.checkpoint import publish, read_checkpoint, save_checkpoint
from napari_bonescint.training.loop.fabric import start_fabric
from napari_bonescint.training.loop.listener import TrainingListener
from napari_bonescint.training.loop.recipe import read_recipe
from napari_bonescint.training.loop.trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari_bonescint.training.loop.listener import TrainingProgress

SEEDS = (1, 2)
EVERY = 25
_CORRECTED = 24
_FILE = Path(__file__).with_name("seed_spread.json")


def simulate_cases(folder: Path, seeds: Iterable[int]) -> None:
    """Simulate those patients of the other hospital that are missing in a folder."""
    missing = [seed for seed in seeds if not case_path(folder, seed).exists()]
    if missing:
        skeleton = DepartmentSkeleton(load_model(), BonePoints.load(prepare_geometry(folder)))
        for seed in missing:
            simulate_department(skeleton, seed).save(case_path(folder, seed))
            print(f"simulated {seed}", flush=True)


def train(folder: Path, seed: int, threads: int) -> None:
    """Train with a seed, and keep the averaged weights of each look."""
    torch.set_num_threads(threads)
    recipe = replace(read_recipe(shipped_folder("train") / "recipes" / "quick.toml"), seed=seed)
    run = folder / f"seed-{seed}"
    run.mkdir(exist_ok=True)
    cases = CorrectedThere([case_path(folder, seed) for seed in TO_CORRECT[:_CORRECTED]])
    trainer = Trainer(recipe, cases, start_fabric("cpu"))
    if (state := read_checkpoint(run / "checkpoint.pt")) is not None:
        trainer.restore(state)

    class Keeping(TrainingListener):
        """Keeps the weights and the state."""

        def on_train_epoch_end(self, progress: TrainingProgress) -> None:
            look = replace(recipe, name=f"step-{progress.step:04d}")
            publish(trainer.average, look, run, {"steps_done": progress.step}, [])
            print(f"seed {seed}: step {progress.step}/{recipe.steps}, loss {progress.loss:.4f}", flush=True)

        def save_checkpoint(self) -> None:
            save_checkpoint(trainer.state(), run / "checkpoint.pt")

    trainer.fit([Keeping()], every=EVERY, workers=0)


def score(folder: Path, patients: int) -> dict[str, dict[str, float]]:
    """Dice of each model on each patient: the mean over the regions, over both views."""
    kept_in = folder / "scores.json"
    scores: dict[str, dict[str, float]] = json.loads(kept_in.read_bytes()) if kept_in.exists() else {}
    models = {"start": Segmenter(find_model(DEFAULT_MODEL), "cpu")}
    for seed in SEEDS:
        for path in sorted((folder / f"seed-{seed}").glob("step-*.json")):
            models[f"{seed} {path.stem}"] = Segmenter(find_model(str(path)), "cpu")
    for seed in HELD_OUT[:patients]:
        if str(seed) in scores:
            continue
        simulate_cases(folder, [seed])
        case = Case.load(case_path(folder, seed))
        reference = Reference(scan_department(case, seed), case.regions)
        scores[str(seed)] = {name: round(segment_reference(each, reference).dice, 5) for name, each in models.items()}
        write_bytes_atomically(kept_in, json.dumps(scores).encode())
        print(f"scored {seed}", flush=True)
    return scores


def main() -> None:
    """Measure, and write the differences."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder for cases, weights and scores")
    parser.add_argument("--patients", type=int, default=50, help="how many to score on (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="of PyTorch, while it trains (default: %(default)s)")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    simulate_cases(options.work, TO_CORRECT[:_CORRECTED])
    for seed in SEEDS:
        train(options.work, seed, options.threads)
    scores = list(score(options.work, options.patients).values())
    steps = sorted(name.split()[1] for name in scores[0] if name.startswith(f"{SEEDS[0]} "))
    first, second = ([[each[f"{seed} {step}"] for step in steps] for each in scores] for seed in SEEDS)
    found = {
        "recipe": "quick",
        "seeds": SEEDS,
        "corrected_scans": _CORRECTED,
        "steps": [int(step.removeprefix("step-")) for step in steps],
        "start": [each["start"] for each in scores],
        "first": first,
        "second": second,
    }
    write_bytes_atomically(_FILE, (json.dumps(found) + "\n").encode())
    last = [a[-1] - b[-1] for a, b in zip(first, second, strict=True)]
    print(f"spread of the last differences {statistics.stdev(last):.4f}, their mean {statistics.mean(last):+.4f}")


if __name__ == "__main__":
    main()
