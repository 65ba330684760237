"""Measure the throughput and the memory of `bonescint segment` on a large folder.

    python benchmarks/many_scans.py --cases data/training --scans 1000 --write docs/many-scans-speed.md

The scans are simulated cases with new random counts for each file, so all scans differ. The folder is segmented with
one process and with two, and once more when all results are present, while the memory of all processes is sampled.
Other programs would disturb the measurement.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import psutil
from tqdm import tqdm

from napari_bonescint.commands import argument_types
from napari_bonescint.inference.devices import usable_cores
from napari_bonescint.simulation.case import Case
from napari_bonescint.simulation.nuclear_medicine import write_nuclear_medicine
from napari_bonescint.simulation.splits import seed_of, split_of

if TYPE_CHECKING:
    from collections.abc import Sequence

EVERY = 1.0
"""Seconds between two samples of the memory."""

FIRST_COUNT = 1_000_000
"""First seed of the random counts; no split uses it."""


@dataclass
class Run:
    """Measurements of one run of the command.

    Attributes
    ----------
    scans : int
    seconds : float
        Duration of the run.
    processor_seconds : float
        Processor time of all processes.
    ends : list of float
        Seconds after which each scan was done.
    memory : list of (float, float)
        Seconds, and megabytes of all processes together, with shared pages counted in each.
    """

    scans: int
    seconds: float = 0.0
    processor_seconds: float = 0.0
    ends: list[float] = field(default_factory=list)
    memory: list[tuple[float, float]] = field(default_factory=list)

    @property
    def steady_per_hour(self) -> float:
        """Throughput in scans an hour between the end of the first and of the last scan."""
        return 3600 * (len(self.ends) - 1) / (self.ends[-1] - self.ends[0])

    def megabytes(self, first: float, last: float) -> float:
        """Mean memory in MB between two shares of finished scans, 0 to 1."""
        moments = [self.ends[round(share * (len(self.ends) - 1))] for share in (first, last)]
        return float(np.mean([mb for at, mb in self.memory if moments[0] <= at <= moments[1]] or [np.nan]))

    @property
    def peak(self) -> float:
        """Peak memory in MB."""
        return max(mb for _, mb in self.memory)


def make_scans(folder: Path, cases: Sequence[Path], scans: int) -> None:
    """Write different scans of simulated cases, each in its own folder; keep existing ones."""
    for number in tqdm(range(scans), desc="making scans", disable=None):
        path = folder / f"{number // 100:03}" / f"{number:06}" / "IM0001.dcm"
        if path.exists():
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        case = cases[number % len(cases)]
        write_nuclear_medicine(split_of(seed_of(case)).scan(Case.load(case), FIRST_COUNT + number), path)


def segment(scans_folder: Path, out: Path, scans: int, options: Sequence[str]) -> Run:
    """Run the command, and sample its memory."""
    run = Run(scans)
    words = [sys.executable, "-m", "napari_bonescint", "segment", str(scans_folder), "--out", str(out), *options]
    before = os.times()
    start = time.perf_counter()
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        over = threading.Event()
        watch = threading.Thread(target=_sample, args=(process.pid, start, run.memory, over))
        watch.start()
        last = ""
        for line in process.stdout or ():
            last = line if "failed." in line else last
            if " -> " in line or ": kept " in line:
                run.ends.append(time.perf_counter() - start)
        over.set()
        watch.join()
    run.seconds = time.perf_counter() - start
    after = os.times()
    run.processor_seconds = sum(after[2:4]) - sum(before[2:4])
    if process.returncode or len(run.ends) != scans:
        raise RuntimeError(f"{' '.join(words)}: ended with status {process.returncode}: {last.strip()}")
    return run


def _sample(pid: int, start: float, samples: list[tuple[float, float]], over: threading.Event) -> None:
    command = psutil.Process(pid)
    while not over.wait(EVERY):
        held = 0
        try:
            for process in (command, *command.children(recursive=True)):
                held += process.memory_info().rss
        except psutil.NoSuchProcess:  # one that ends at this moment
            continue
        samples.append((time.perf_counter() - start, held / 1e6))


def page(runs: dict[int, Run], again: Run, model: str) -> str:
    """The measurements as a page for docs/."""
    one = runs[min(runs)]
    head = f"""\
# Speed with many scans

Made by `benchmarks/many_scans.py`: {one.scans} different simulated scans of two views with the model {model} on
{platform.machine()}, {usable_cores()} cores, no GPU. The throughput (scans/h) is measured between the end of the first
and of the last scan. Memory is the sum over all processes, with shared pages counted in each: the mean while 10 to 30 %
(early) and 80 to 100 % (late) of the scans were done, and the peak.

| workers | seconds in all | scans/h | speed-up | processor s a scan | MB early | MB late | MB peak |
|--:|--:|--:|--:|--:|--:|--:|--:|
"""
    rows = ""
    for workers, run in runs.items():
        faster = run.steady_per_hour / one.steady_per_hour
        rows += (
            f"| {workers} | {run.seconds:.0f} | {run.steady_per_hour:.0f} | {faster:.2f} "
            f"| {run.processor_seconds / run.scans:.2f} | {run.megabytes(0.1, 0.3):.0f} | {run.megabytes(0.8, 1):.0f} "
            f"| {run.peak:.0f} |\n"
        )
    kept = 1000 * again.processor_seconds / again.scans
    last = f"""
The same command again, with all results present: {again.seconds:.0f} s, {kept:.0f} ms of processor time a scan,
{again.peak:.0f} MB peak.
"""
    return head + rows + last


def main() -> None:
    """Make the scans, segment them with one and two processes, and print the measurements."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=Path, required=True, help="folder of case_SEED.npz from `bonescint simulate`")
    parser.add_argument("--scans", type=int, default=1000, help="how many (default: %(default)s)")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2], help="(default: 1 2)")
    parser.add_argument("--model", default="current", help="(default: the one in use)")
    parser.add_argument("--folder", type=Path, help="where to make the scans, to use them again (default: temporary)")
    parser.add_argument("--write", type=Path, help="write the page here, too")
    options = parser.parse_args()
    cases = sorted(options.cases.glob("case_*.npz"))
    if not cases:
        parser.error(f"{options.cases} holds no case_SEED.npz")
    with tempfile.TemporaryDirectory() as temporary:
        source = (options.folder or Path(temporary)) / f"scans-{options.scans}"
        make_scans(source, cases, options.scans)
        model = argument_types.model(options.model)
        settings = ["--model", options.model, "--device", "cpu"]
        runs = {}
        for workers in options.workers:
            out = Path(temporary) / f"results-{workers}"
            runs[workers] = segment(source, out, options.scans, [*settings, "--workers", str(workers)])
            print(f"{workers} workers: {runs[workers].steady_per_hour:.0f} scans/h", flush=True)
        text = page(runs, segment(source, out, options.scans, settings), model.name)
    print(text)
    if options.write:
        options.write.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
