"""Measure the gain from training on 5, 20 and 50 corrected scans of another hospital, and the loss on other scans.

    nice -n 19 python benchmarks/learning_curve.py --work data/curve --cases data/training --test data/test --minutes 60

The other hospital is `elsewhere`. Three methods are compared with the same number of steps: fine-tuning the default
model, fine-tuning with frozen first stages, and training from scratch. Half of the examples are corrected scans, half
are the simulated cases in --cases. Models are scored on 50 scans of the hospital and on the cases in --test. The result
is learning_curve.json in --out, from which `bonescint evaluate --out` makes a section of RESULTS.md. Finished parts are
kept in --work, so the same command continues after a stop; it stops when the minutes are over.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from elsewhere import HELD_OUT, TO_CORRECT, DepartmentSkeleton, scan_department, simulate_department
from napari_bonescint.commands.simulate import prepare_geometry
from napari_bonescint.counted_scan import CountedScan
from napari_bonescint.evaluation.metrics import dice
from napari_bonescint.evaluation.report.learning_curve import FILE_NAME, CurvePoint, LearningCurve, curve_section
from napari_bonescint.files.atomic import write_bytes_atomically
from napari_bonescint.inference.model_card import DEFAULT_MODEL, ModelCard
from napari_bonescint.inference.model_registry import find_model
from napari_bonescint.inference.segmenter import Segmenter
from napari_bonescint.resources import shipped_folder
from napari_bonescint.simulation.case import Case
from napari_bonescint.simulation.splits import case_path, read_splits, seed_of
from napari_bonescint.training.data.sources import MixedCases, SimulatedCaseFiles
from napari_bonescint.training.loop.checkpoint import publish, read_checkpoint, save_checkpoint
from napari_bonescint.training.loop.fabric import start_fabric
from napari_bonescint.training.loop.listener import Order, TrainingControl, TrainingListener, TrainingProgress
from napari_bonescint.training.loop.recipe import Recipe, read_recipe
from napari_bonescint.training.loop.trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import numpy as np

METHODS: dict[str, dict[str, object]] = {
    "fine-tuning": {},
    "from scratch": {"start": (), "learning_rate": 0.002},
    "first stages frozen": {"frozen_stages": 3},
}
SIZES = (20, 5, 50)
_DOMAIN = "a simulated hospital with other counts, poses, pathology and camera (benchmarks/elsewhere.py)"


class OutOfTime(Exception):
    """The minutes are over."""


class Clock(TrainingControl):
    """Stops a training when the time is over."""

    def __init__(self, until: float) -> None:
        self._until = until

    def order(self) -> Order:
        """Stop if the time is over."""
        return Order.STOP if time.monotonic() > self._until else Order.GO_ON


@dataclass(frozen=True)
class CorrectedThere:
    """Scans of the other hospital and their true masks, as a source of examples.

    Attributes
    ----------
    paths : sequence of Path
        Cases, named case_SEED.npz.
    """

    paths: Sequence[Path]

    @property
    def number(self) -> int:
        """See `CaseSource`."""
        return len(self.paths)

    def draw(self, rng: np.random.Generator) -> CountedScan:
        """See `CaseSource`."""
        return _counted(self.paths[int(rng.integers(len(self.paths)))])

    def sha256(self) -> str:
        """See `CaseSource`."""
        return SimulatedCaseFiles(self.paths).sha256()


class Work:
    """The finished and the remaining trainings.

    Parameters
    ----------
    options : argparse.Namespace
        Of the command line.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._folder: Path = options.work
        self._clock = Clock(time.monotonic() + 60 * options.minutes)
        self._card = find_model(DEFAULT_MODEL)
        self._recipe = replace(
            read_recipe(shipped_folder("train") / "recipes" / "quick.toml"), steps=options.steps, check_every=0
        )
        self._there = self._folder / "there"

    def do(self) -> None:
        """Run all trainings, the most important first; the curve is written after each."""
        self._simulate((*TO_CORRECT[: max(SIZES)], *HELD_OUT))
        before = self._scored("none", 0, self._card)
        points: list[CurvePoint] = []
        for corrections in SIZES:
            for method, settings in METHODS.items():
                card = self._trained(method, corrections, replace(self._recipe, **settings))  # type: ignore[arg-type]
                points.append(self._scored(method, corrections, card))
                self._write(before, points)

    def _simulate(self, seeds: Iterable[int]) -> None:
        self._there.mkdir(parents=True, exist_ok=True)
        missing = [seed for seed in seeds if not case_path(self._there, seed).exists()]
        if not missing:
            return
        from napari_bonescint.simulation.geometry import BonePoints, load_model

        skeleton = DepartmentSkeleton(load_model(), BonePoints.load(prepare_geometry(self._folder)))
        for seed in missing:
            self._look_at_clock()
            simulate_department(skeleton, seed).save(case_path(self._there, seed))
            print(f"simulated {seed}", flush=True)

    def _trained(self, method: str, corrections: int, recipe: Recipe) -> ModelCard:
        """The model that a method trains on a number of corrections."""
        name = f"{method.replace(' ', '-')}-{corrections}"
        # A result of another default model does not count.
        run = self._folder / self._card.weights_sha256[:8] / name
        if (run / f"{name}.json").exists():
            return find_model(str(run / f"{name}.json"))
        run.mkdir(parents=True, exist_ok=True)
        corrected = CorrectedThere([case_path(self._there, seed) for seed in TO_CORRECT[:corrections]])
        simulated = SimulatedCaseFiles(sorted(self._options.cases.glob("case_*.npz")))
        recipe = replace(recipe, name=name)
        cases = MixedCases(corrected, simulated, recipe.simulated_share)
        trainer = Trainer(recipe, cases, start_fabric("cpu"))
        if (state := read_checkpoint(run / "checkpoint.pt")) is not None:
            trainer.restore(state)

        class Keeping(TrainingListener):
            """Keeps the state."""

            def on_train_epoch_end(self, progress: TrainingProgress) -> None:
                print(f"{name}: step {progress.step}/{recipe.steps}, loss {progress.loss:.4f}", flush=True)

            def save_checkpoint(self) -> None:
                save_checkpoint(trainer.state(), run / "checkpoint.pt")

        trainer.fit([Keeping()], self._clock, every=10, workers=0)
        if trainer.step < recipe.steps:
            raise OutOfTime
        return publish(trainer.average, recipe, run, {"steps_done": trainer.step}, [])

    def _scored(self, method: str, corrections: int, card: ModelCard) -> CurvePoint:
        """Scores of a model; those of scans that were scored before are kept beside it."""
        kept_in = self._folder / f"scores-{card.name}-{card.weights_sha256[:8]}.json"
        kept: dict[str, float] = json.loads(kept_in.read_bytes()) if kept_in.exists() else {}
        segmenter = Segmenter(card, "cpu")

        def score(name: str, path: Path, read: Callable[[Path], CountedScan]) -> float:
            key = f"{name} {seed_of(path)}"
            if key not in kept:
                self._look_at_clock()
                counted = read(path)
                result = segmenter.segment(counted.scan)
                masks = zip(result.skeleton, counted.regions, strict=True)
                kept[key] = round(statistics.mean(dice(mask > 0, truth > 0) for mask, truth in masks), 5)
                write_bytes_atomically(kept_in, json.dumps(kept).encode())
            return kept[key]

        there = [score("there", case_path(self._there, seed), _counted) for seed in HELD_OUT]
        test = sorted(self._options.test.glob("case_*.npz"))
        original = [score("original", path, _counted_as_usual) for path in test]
        means = statistics.mean(there), statistics.mean(original)
        print(f"{card.name}: {means[0]:.4f} there, {means[1]:.4f} on the test", flush=True)
        return CurvePoint(method, corrections, there, original)

    def _write(self, before: CurvePoint, points: list[CurvePoint]) -> None:
        curve = LearningCurve(
            self._card.name,
            self._card.weights_sha256,
            _DOMAIN,
            f"Each training takes {self._recipe.steps} steps of {self._recipe.batch} views, of which "
            f"{self._recipe.simulated_share:.0%} are of simulated cases as before.",
            before,
            sorted(points, key=lambda point: (list(METHODS).index(point.method), point.corrections)),
        )
        self._options.out.mkdir(parents=True, exist_ok=True)
        curve.write(self._options.out / FILE_NAME)
        print(curve_section(curve), flush=True)

    def _look_at_clock(self) -> None:
        if self._clock.order() is Order.STOP:
            raise OutOfTime


def _counted(path: Path) -> CountedScan:
    case = Case.load(path)
    return CountedScan(scan_department(case, seed_of(path)), case.regions, names_regions=True)


def _counted_as_usual(path: Path) -> CountedScan:
    case = Case.load(path)
    return CountedScan(read_splits()["test"].scan(case, seed_of(path)), case.regions, names_regions=True)


def main() -> int:
    """Train until the time is over; return 1 if trainings are left."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder for cases, runs and scores")
    parser.add_argument("--cases", type=Path, required=True, help="simulated cases to train on, so as not to forget")
    parser.add_argument("--test", type=Path, required=True, help="cases of the original test")
    parser.add_argument("--out", type=Path, default=Path("train"), help="for the curve (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=200, help="of each training (default: %(default)s)")
    parser.add_argument("--minutes", type=float, default=60, help="end after this time (default: %(default)s)")
    try:
        Work(parser.parse_args()).do()
    except OutOfTime:
        print("The time is over; the same command continues.")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
