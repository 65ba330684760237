"""Kill a training at random moments, resume it, and check that it ends like an undisturbed training.

    python benchmarks/training_crashes.py --kills 50

A process trains a tiny network and is killed (SIGKILL) at a random time, while it reads, computes, scores or writes. It
is started and killed again until the training is finished; then the next training follows. After each kill all files
must be complete. Each training must end with exactly the loss and the weights of an undisturbed training.
"""

from __future__ import annotations

import argparse
import io
import multiprocessing
import random
import tempfile
import time
from collections import Counter
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_bonescint.simulation.case import SOURCES, Case
from napari_bonescint.training.loop.recipe import Recipe
from napari_bonescint.training.runs.event_log import read_events

if TYPE_CHECKING:
    from multiprocessing.context import BaseContext

RECIPE = Recipe(
    name="tiny",
    description="For killing",
    architecture="fdn-5",
    outputs=1,
    grid_mm=12.0,
    rows=48,
    columns=24,
    batch=2,
    keep_phases=(2,),
    learning_rate=0.003,
    warm_up=2,
    steps=60,
    dice_weight=0.5,
    average=0.9,
    seed=1,
    check_every=20,
)
_PRELOADED = ["napari_bonescint.training.runs.session", "lightning_fabric"]


class Outcome(NamedTuple):
    """Results of the kills.

    Attributes
    ----------
    kills : Counter
        Number of kills by the last event in the log.
    trainings : int
        Number of finished trainings.
    losses : list of float
        Last loss of the undisturbed training, and of each of the others.
    faults : list of str
        A sentence for each damaged file, and each training with a different end.
    """

    kills: Counter[str]
    trainings: int
    losses: list[float]
    faults: list[str]


def some_case(seed: int) -> Case:
    """Bars of bone in soft tissue."""
    rng = np.random.default_rng(seed)
    regions = np.zeros((2, 192, 96), np.uint8)
    top = int(rng.integers(15, 40))
    regions[:, top : top + 90, 42:56], regions[:, top + 100 : top + 150, 30:44] = 3, 14
    expected = np.zeros((len(SOURCES), *regions.shape), np.float32)
    expected[SOURCES.index("spine")][regions == 3] = 4
    expected[SOURCES.index("legs")][regions == 14] = 1.5
    expected[SOURCES.index("soft")][:, 10:185, 20:75] = 0.2
    return Case(expected, regions, 3.0)


def train_in(folder: Path, cases: tuple[Path, ...], held_out: tuple[Path, ...]) -> None:
    """Train in a folder, from the start or from the last checkpoint."""
    import torch

    from napari_bonescint.training.data.sources import SimulatedCaseFiles
    from napari_bonescint.training.data.training_data import TrainingData
    from napari_bonescint.training.loop.fabric import start_fabric
    from napari_bonescint.training.runs.session import Session, SessionSettings

    torch.set_num_threads(1)
    material = TrainingData(None, SimulatedCaseFiles(cases), held_out)
    with redirect_stdout(io.StringIO()):
        Session(RECIPE, material, start_fabric("cpu"), folder, SessionSettings("cpu", 60, workers=0)).train()


def kill_often(folder: Path, kills: int, seed: int) -> Outcome:
    """Kill trainings many times, and compare their results with an undisturbed training."""
    # A fork of a process with all imports starts in milliseconds; Windows has no fork.
    method = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
    context = multiprocessing.get_context(method)
    context.set_forkserver_preload(_PRELOADED)
    paths = [folder / f"case_{number:06d}.npz" for number in range(4)]
    for number, path in enumerate(paths):
        some_case(number).save(path)
    cases, held_out = tuple(paths[:3]), tuple(paths[3:])
    start = time.monotonic()
    _run(context, folder / "straight", cases, held_out, kill_after=None)
    longest = 0.5 * (time.monotonic() - start)
    moments = random.Random(seed)  # noqa: S311 - no secret
    during: Counter[str] = Counter()
    faults: list[str] = []
    losses = [_last_loss(folder / "straight")]
    number = 0
    while during.total() < kills:
        number += 1
        run = folder / f"killed-{number}"
        while during.total() < kills:
            if not _run(context, run, cases, held_out, kill_after=moments.uniform(0, longest)):
                break
            events, _ = read_events(run / "log.jsonl")
            during[events[-1]["event"] if events else "the start"] += 1
            faults += _damaged(run)
        _run(context, run, cases, held_out, kill_after=None)
        losses.append(_last_loss(run))
        faults += _differences(folder / "straight", run)
    return Outcome(during, number, losses, faults)


def _run(
    context: BaseContext, folder: Path, cases: tuple[Path, ...], held_out: tuple[Path, ...], kill_after: float | None
) -> bool:
    """Train in a process; return true if it was killed before it ended."""
    process = context.Process(target=train_in, args=(folder, cases, held_out))  # type: ignore[attr-defined]
    process.start()
    process.join(kill_after)
    killed = process.exitcode is None
    if killed:
        process.kill()
        process.join()
    elif process.exitcode != 0:
        raise RuntimeError(f"{folder.name}: training ended with status {process.exitcode}")
    return killed


def _damaged(folder: Path) -> list[str]:
    """Sentences about unreadable files after a kill."""
    from napari_bonescint.errors import BonescintError
    from napari_bonescint.inference.model_card import read_card
    from napari_bonescint.training.loop.checkpoint import read_torch

    faults = []
    try:
        for path in sorted(folder.glob("*.pt")):
            read_torch(path)
        for path in sorted(folder.glob("tiny.json")):
            read_card(path).read_weights()
    except BonescintError as error:
        faults.append(str(error))
    return faults


def _last_loss(folder: Path) -> float:
    events, _ = read_events(folder / "log.jsonl")
    return float([event["loss"] for event in events if event["event"] == "progress"][-1])


def _differences(straight: Path, folder: Path) -> list[str]:
    """Differences between a killed training and an undisturbed one."""
    import torch

    from napari_bonescint.training.loop.checkpoint import read_torch

    faults = []
    if _last_loss(straight) != _last_loss(folder):
        faults.append(f"{folder.name}: ended with loss {_last_loss(folder)}, not {_last_loss(straight)}.")
    for name, part in (("checkpoint.pt", "network"), ("checkpoint.pt", "average"), ("best.pt", "average")):
        wanted, got = (read_torch(each / name)[part] for each in (straight, folder))
        if not all(torch.equal(wanted[key], got[key]) for key in wanted):
            faults.append(f"{folder.name}: the weights {part} of {name} differ.")
    return faults


def main() -> int:
    """Kill and report; return 1 if there was a fault."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50, help="how many (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the moments (default: %(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        outcome = kill_often(Path(folder), options.kills, options.seed)
    print(f"kills: {', '.join(f'{count} after {event}' for event, count in sorted(outcome.kills.items()))}")
    print(f"{outcome.trainings} trainings were finished; last losses {sorted(set(outcome.losses))}")
    print(f"{len(outcome.faults)} faults")
    print("\n".join(outcome.faults[:20]))
    return 1 if outcome.faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
