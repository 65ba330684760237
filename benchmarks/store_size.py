"""Measure the time to open a label store of many cases, to list it again, and to read the next case.

    python benchmarks/store_size.py --cases 10000
    python benchmarks/store_size.py --store labels          # an existing store

New cases are small (64 x 32 pixels), since only the number of files matters for a list; half of them have a prediction,
a quarter a revision. Reading the next case is timed with the usual size of a scan.
"""

from __future__ import annotations

import argparse
import hashlib
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.corrections.store.records.revision import Origin
from napari_bonescint.scan import Scan, View, ViewName
from napari_bonescint.segmentation import Segmentation

if TYPE_CHECKING:
    from collections.abc import Callable

SMALL, USUAL = (2, 64, 32), (2, 1024, 256)
REPEATS = 5


def add_case(store: LabelStore, number: int, shape: tuple[int, int, int], *, predicted: bool, corrected: bool) -> str:
    """Add a case of random counts."""
    generator = np.random.default_rng(number)
    counts = generator.poisson(5, shape).astype(np.uint16)
    source = hashlib.sha256(str(number).encode()).hexdigest()
    views = (View(ViewName.ANTERIOR), View(ViewName.POSTERIOR))
    key = store.add(Scan(counts, views, (2.4, 2.4), source_sha256=source))
    regions = (counts > 9).astype(np.uint8)
    if predicted:
        probability = np.clip(counts / 15, 0, 1).astype(np.float32)
        store.add_prediction(
            key, Segmentation(regions, regions, probability, "random", "0" * 64, "cpu", "CPU: a test", "none", 0.0)
        )
    if corrected:
        store.save(key, regions, Origin.empty(), annotator="A. Annotator", reviewed=True)
    return key


def seconds(work: Callable[[], object]) -> float:
    """Duration of a call in seconds."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measure(folder: Path) -> None:
    """Print the times."""
    store = LabelStore.open(folder)
    usual = add_case(store, -1 % 2**32, USUAL, predicted=True, corrected=True)
    (folder / "index.json").unlink(missing_ok=True)
    print(f"{len(store.keys())} cases")
    print(f"open and list, no index:   {seconds(lambda: LabelStore.open(folder).cases()):.2f} s")
    # Cases changed in the last three seconds are read again, with or without an index.
    time.sleep(3.5)
    (folder / "index.json").unlink(missing_ok=True)
    LabelStore.open(folder).cases()
    times = [seconds(lambda: LabelStore.open(folder).cases()) for _ in range(REPEATS)]
    print(f"open and list, with index: {statistics.median(times):.2f} s")
    store.cases()
    add_case(store, -2 % 2**32, SMALL, predicted=True, corrected=True)
    print(f"list again after a change: {seconds(store.cases):.2f} s")

    def move_on() -> None:
        store.scan(usual), store.prediction(usual), store.regions(usual, store.revisions(usual)[-1].number)

    print(f"read a case of {USUAL}: {statistics.median(seconds(move_on) for _ in range(REPEATS)):.3f} s")
    print(f"hash of the manifest:      {seconds(store.manifest_sha256):.2f} s")


def main() -> None:
    """Make a store, or open the given one, and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=10_000, help="how many to make (default: %(default)s)")
    parser.add_argument("--store", type=Path, help="an existing store; two cases are added to it")
    options = parser.parse_args()
    if options.store:
        measure(options.store)
        return
    with tempfile.TemporaryDirectory() as parent:
        store = LabelStore.create(Path(parent) / "store")
        for number in tqdm(range(options.cases), disable=None):
            add_case(store, number, SMALL, predicted=number % 2 == 0, corrected=number % 4 == 0)
        measure(store.folder)


if __name__ == "__main__":
    main()
