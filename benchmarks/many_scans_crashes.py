"""Kill `bonescint segment` at random moments, resume it, and check that each scan has exactly one result.

    python benchmarks/many_scans_crashes.py --kills 50

The command, or one of its worker processes, is killed (SIGKILL) while it segments a folder of small scans. The same
command is started again until all scans are done; then the next folder follows. No result may be lost, incomplete, made
twice or different from that of an undisturbed command.
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
"""Seconds within which the workers of a killed command must have ended."""


@dataclass
class Outcome:
    """Results of the kills.

    Attributes
    ----------
    kills : Counter of str
        Number of kills by kind of process.
    commands : int
        Number of times the command was started.
    folders : int
        Number of finished folders.
    faults : list of str
        A sentence for each fault.
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
    """Time of writing of each complete result, by the name of its JSON file."""
    whole = {}
    for path in out.glob("*.json"):
        if all((out / mask).is_file() for mask in json.loads(path.read_bytes())["masks"]):
            whole[path.name] = path.stat().st_mtime_ns
    return whole


def kill_often(folder: Path, kills: int, scans: int, model: str, seed: int) -> Outcome:
    """Kill commands and workers many times, and compare the results with those of an undisturbed command."""
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
            outcome.faults.append(f"{out.name}: its results differ from those of an undisturbed command")
    return outcome


def _run(words: list[str], moment: float | None, victim: str, outcome: Outcome) -> int | None:
    """Start the command, and kill it or one of its workers after a time; return its status, None if it was killed."""
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
        outcome.faults.append("the workers of a killed command did not end")
    return None


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


def main() -> int:
    """Kill and report; return 1 if there was a fault."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50, help="how many (default: %(default)s)")
    parser.add_argument("--scans", type=int, default=40, help="in the folder (default: %(default)s)")
    parser.add_argument("--model", default="dln-11", help="(default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the moments (default: %(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        outcome = kill_often(Path(folder), options.kills, options.scans, options.model, options.seed)
    print(f"kills: {', '.join(f'{count} of a {what}' for what, count in sorted(outcome.kills.items()))}")
    print(f"{outcome.commands} commands finished {outcome.folders} folders of {options.scans} scans")
    print(f"{len(outcome.faults)} faults")
    print("\n".join(outcome.faults[:20]))
    return 1 if outcome.faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
