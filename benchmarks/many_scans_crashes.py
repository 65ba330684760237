"""Kill `bonescint segment` at random moments, go on, and look whether every scan has its one result in the end.

    python benchmarks/many_scans_crashes.py --kills 50

A folder of small scans is segmented by a command that is killed (SIGKILL) some time after it began, or one of whose
worker processes is; then the same command is given again, until all is done, and the next folder begins. No result may
be lost, cut off, made twice or different from those of a command that nobody disturbed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil

from napari_bonescint.scan import Scan, View, ViewName
from napari_bonescint.simulation.nuclear_medicine import write_nuclear_medicine

SHAPE = (2, 512, 128)
LONGEST_TO_END = 60
"""Seconds in which the workers of a command that was killed must be gone."""


@dataclass
class Outcome:
    """What the kills did.

    Attributes
    ----------
    kills : Counter of str
        How many there were, by what was killed.
    commands : int
        How many times the command was given.
    folders : int
        How many folders were done in the end.
    faults : list of str
        A sentence for each thing that is wrong.
    """

    kills: Counter[str] = field(default_factory=Counter)
    commands: int = 0
    folders: int = 0
    faults: list[str] = field(default_factory=list)


def make_scans(folder: Path, scans: int) -> None:
    """Write different scans of random counts."""
    for number in range(scans):
        counts = np.random.default_rng(number).poisson(6, SHAPE).astype(np.uint16)
        path = folder / f"{number:03}.dcm"
        write_nuclear_medicine(Scan(counts, (View(ViewName.ANTERIOR), View(ViewName.POSTERIOR)), (3.6, 3.6)), path)


def masks_in(out: Path) -> dict[str, str]:
    """Hash of each mask by its name."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in out.glob("*.tif")}


def whole_in(out: Path) -> dict[str, int]:
    """When each result that is there as a whole was written, by the name of its facts."""
    whole = {}
    for path in out.glob("*.json"):
        if all((out / mask).is_file() for mask in json.loads(path.read_bytes())["masks"]):
            whole[path.name] = path.stat().st_mtime_ns
    return whole


def kill_often(folder: Path, kills: int, scans: int, model: str, seed: int) -> Outcome:
    """Kill commands and workers many times, and compare what comes of it with what nobody disturbed."""
    moments = random.Random(seed)  # noqa: S311 - no secret
    outcome = Outcome()
    folder = folder / "folder"
    folder.mkdir()
    make_scans(folder, scans)
    words = [sys.executable, "-m", "napari_bonescint", "segment", str(folder), "--model", model, "--device", "cpu"]
    start = time.monotonic()
    subprocess.run([*words, "--out", str(folder / "undisturbed")], check=True, capture_output=True)
    longest = time.monotonic() - start
    wanted = masks_in(folder / "undisturbed")
    while outcome.kills.total() < kills:
        outcome.folders += 1
        out = folder / f"results-{outcome.folders}"
        workers = 1 + outcome.folders % 2
        status = None
        while status is None:
            before = whole_in(out)
            outcome.commands += 1
            disturb = outcome.kills.total() < kills
            moment = moments.uniform(0, longest) if disturb else None
            command = [*words, "--out", str(out), "--workers", str(workers)]
            victim = moments.choice(["command", "worker"]) if workers > 1 else "command"
            status = _run(command, moment, victim, outcome)
            after = whole_in(out)
            outcome.faults += [
                f"{out.name}: {name} was made twice or is lost" for name in before if after.get(name) != before[name]
            ]
        if status != 0:
            outcome.faults.append(f"{out.name}: the command ended with status {status}")
        if masks_in(out) != wanted or len(whole_in(out)) != scans:
            outcome.faults.append(f"{out.name}: its results are not those of a command that nobody disturbed")
    return outcome


def _run(words: list[str], moment: float | None, victim: str, outcome: Outcome) -> int | None:
    """Give the command, and kill it or a worker of its after so many seconds; its status, None if it was killed."""
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        if moment is None:
            return process.wait()
        with suppress(subprocess.TimeoutExpired):
            return process.wait(moment)
        workers = [child for child in psutil.Process(process.pid).children() if "spawn_main" in " ".join(_words(child))]
        if victim == "worker":
            for worker in workers[:1]:
                worker.kill()
                outcome.kills["worker"] += 1
            return process.wait()
        process.kill()
        outcome.kills["command"] += 1
    if psutil.wait_procs(workers, timeout=LONGEST_TO_END)[1]:
        outcome.faults.append("the workers of a command that was killed went on")
    return None


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


def main() -> int:
    """Kill and report; 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50, help="how many (default: %(default)s)")
    parser.add_argument("--scans", type=int, default=40, help="in the folder (default: %(default)s)")
    parser.add_argument("--model", default="dln-11", help="(default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the moments (default: %(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        outcome = kill_often(Path(folder), options.kills, options.scans, options.model, options.seed)
    print(f"kills: {', '.join(f'{count} of a {what}' for what, count in sorted(outcome.kills.items()))}")
    print(f"{outcome.commands} commands did {outcome.folders} folders of {options.scans} scans to the end")
    print(f"{len(outcome.faults)} faults")
    print("\n".join(outcome.faults[:20]))
    return 1 if outcome.faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
