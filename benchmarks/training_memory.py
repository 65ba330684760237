"""Measure the start time and the memory of `bonescint train` with label stores of many scans.

    python benchmarks/training_memory.py --store data/large --scans 100 1000 10000

All scans are copies of the simulated sample (two views of 1024 x 256, 150 kB in the store) that differ in one pixel,
one for each patient, with a reviewed mask. The largest store is made in the folder --store, unless it exists, and kept;
smaller stores are hard links to some of its cases. A tiny network is trained on each twice: first without the store's
index, then with it.

`begins` is the time from the command to the event `data` of the log, with the import of PyTorch; `processor` is the
processor time in it; `tenth step` is the time until that step. Memory is the resident memory of the training process,
and the unshared memory of the largest worker: at the tenth step, and the peak.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import psutil
from tqdm import tqdm

from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.corrections.store.records.revision import Origin
from napari_bonescint.formats.masks.label_tiff import read_labels
from napari_bonescint.formats.opening import open_scan
from napari_bonescint.training.runs.event_log import Event, read_events

SAMPLES = Path(__file__).parents[1] / "src" / "napari_bonescint" / "samples"
RECIPE = """
name = "memory"
description = "For measuring memory"
architecture = "fdn-5"
outputs = 1
grid_mm = 9.0
rows = 224
columns = 64
batch = 2
keep_phases = [1]
learning_rate = 0.001
warm_up = 10
steps = {steps}
dice_weight = 0.5
average = 0.9
seed = 1
"""
MB = 1e6


@dataclass
class Course:
    """Measurements of one training.

    Attributes
    ----------
    begins, processor, tenth_step : float
        Seconds, see above.
    early, most : tuple of float
        MB of the training process and of the largest worker: at the tenth step, and the peak.
    """

    begins: float = 0.0
    processor: float = 0.0
    tenth_step: float = 0.0
    early: tuple[float, float] = (0.0, 0.0)
    most: tuple[float, float] = field(default=(0.0, 0.0))


def grow(store: LabelStore, scans: int) -> None:
    """Add copies of the sample until the store has the number of cases."""
    sample = open_scan(SAMPLES / "simulated.dcm")
    regions = np.stack(read_labels(SAMPLES / "simulated.regions.tif").masks)
    for number in tqdm(range(len(store.keys()), scans), disable=None):
        counts = sample.counts.copy()
        # Not in the corner alone: a row of its own, as large as numbers need to be.
        counts[0, 0, :8] = [number >> shift & 15 for shift in range(0, 32, 4)]
        source = hashlib.sha256(str(number).encode()).hexdigest()
        key = store.add(replace(sample, counts=counts, source_sha256=source))
        store.save(key, regions, Origin.empty(), annotator="A. Annotator", reviewed=True)


def part_of(store: LabelStore, scans: int, folder: Path) -> Path:
    """A store of hard links to the first cases of another store."""
    (folder / "cases").mkdir(parents=True)
    shutil.copy(store.folder / "store.json", folder)
    for key in store.keys()[:scans]:
        shutil.copytree(store.files(key).folder, folder / "cases" / key, copy_function=os.link)
    return folder


def train(store: Path, folder: Path, steps: int, workers: int) -> Course:
    """Train in a folder, and measure."""
    recipe = folder / "memory.toml"
    recipe.write_text(RECIPE.format(steps=steps), encoding="utf-8")
    command = ["train", str(recipe), "--store", str(store), "--runs", str(folder), "--device", "cpu"]
    command += ["--workers", str(workers)]
    course, started, offset = Course(), time.time(), 0
    log = folder / "memory" / "log.jsonl"
    with (folder / "output.txt").open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "napari_bonescint", *command], stdout=output, stderr=subprocess.STDOUT
        )
    while process.poll() is None:
        memory = _memory_of(process.pid)
        course.most = (max(course.most[0], memory[0]), max(course.most[1], memory[1]))
        events, offset = read_events(log, offset)
        for event in events:
            _note(course, event, started, memory)
        if course.begins and not course.processor:
            course.processor = _processor_of(process.pid)
        time.sleep(0.2)
    if process.returncode:
        raise RuntimeError((folder / "output.txt").read_text())
    return course


def _note(course: Course, event: Event, started: float, memory: tuple[float, float]) -> None:
    if event["event"] == "data":
        course.begins = event["time"] - started
    elif event["event"] == "progress" and not course.tenth_step:
        course.tenth_step, course.early = event["time"] - started, memory


def _processor_of(pid: int) -> float:
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.Error:
        return 0.0
    return times.user + times.system


def _memory_of(pid: int) -> tuple[float, float]:
    """MB of a process, and of its largest child process."""
    try:
        process = psutil.Process(pid)
        own = process.memory_info().rss
        others = [child.memory_full_info().uss for child in process.children()]
    except psutil.Error:  # one of them ended meanwhile
        return 0.0, 0.0
    return own / MB, max(others, default=0) / MB


def measure(store: LabelStore, scans: list[int], folder: Path, steps: int, workers: int) -> None:
    """Train on parts of a store, and print the measurements."""
    print(f"{'scans':>7} {'':>6} {'begins':>8} {'processor':>11} {'tenth step':>11} {'process':>15} {'worker':>15}")
    for number in scans:
        part = store.folder if number == len(store.keys()) else part_of(store, number, folder / f"store-{number}")
        (part / "fit.json").unlink(missing_ok=True)
        for time_ in ("first", "again"):
            run = folder / f"{number}-{time_}"
            run.mkdir()
            course = train(part, run, steps, workers)
            own, worker = zip(course.early, course.most, strict=True)
            print(
                f"{number:>7} {time_:>6} {course.begins:>6.1f} s {course.processor:>9.1f} s "
                f"{course.tenth_step:>9.1f} s {own[0]:>5.0f}, {own[1]:>5.0f} MB "
                f"{worker[0]:>5.0f}, {worker[1]:>5.0f} MB",
                flush=True,
            )


def main() -> None:
    """Make the store, or open the given one, and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scans", type=int, nargs="+", default=[100, 1000, 10_000], help="default: %(default)s")
    parser.add_argument("--store", type=Path, required=True, help="folder of the largest store; made if it is missing")
    parser.add_argument("--steps", type=int, default=40, help="of each training (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=2, help="that make examples (default: %(default)s)")
    options = parser.parse_args()
    store = LabelStore.open(options.store) if options.store.exists() else LabelStore.create(options.store)
    grow(store, max(options.scans))
    with tempfile.TemporaryDirectory(dir=options.store.resolve().parent) as folder:
        measure(store, sorted(options.scans), Path(folder), options.steps, options.workers)


if __name__ == "__main__":
    main()
