"""Measure the throughput and the memory of the simulation with one and with two processes.

    python benchmarks/simulation_speed.py --geometry data/cases/skeleton.npz [--cases N]

Each process loads the skeleton before the measurement starts, and computes in one thread. Processor seconds are the
time on an otherwise idle computer. Memory is the peak of any process, as the system reports it (Linux and macOS).
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import platform
import resource
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multiprocessing.synchronize import Barrier

    from napari_bonescint.simulation.pose import Skeleton

_SCALE = 2**20 if sys.platform == "darwin" else 2**10
_skeleton: list[Skeleton] = []


def _start(geometry: Path, ready: Barrier) -> None:
    from napari_bonescint.simulation.pose import load_skeleton

    _skeleton.append(load_skeleton(geometry))
    ready.wait()


def _simulate(seed: int) -> tuple[float, float]:
    """Simulate a patient; return the processor seconds, and the peak memory of this process in MiB."""
    from napari_bonescint.simulation.case import simulate

    start = time.process_time()
    simulate(_skeleton[0], seed)
    return time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _SCALE


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--geometry", type=Path, required=True, help="skeleton.npz from `bonescint simulate`")
    parser.add_argument("--cases", type=int, default=8, help="patients for each row (default 8)")
    options = parser.parse_args()
    # Read by the numerical libraries of the processes started below.
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
    context = multiprocessing.get_context("spawn")
    print(f"{options.cases} patients; {os.cpu_count()} cores of {platform.machine()}\n")
    print("| processes | patients per second | processor seconds per patient | MiB per process |\n|--:|--:|--:|--:|")
    for processes in (1, 2):
        ready = context.Barrier(processes + 1)
        with context.Pool(processes, _start, (options.geometry, ready)) as pool:
            ready.wait()
            start = time.perf_counter()
            busy, memory = zip(*pool.imap_unordered(_simulate, range(options.cases)), strict=True)
            rate = options.cases / (time.perf_counter() - start)
        print(f"| {processes} | {rate:.2f} | {sum(busy) / options.cases:.2f} | {max(memory):.0f} |")


if __name__ == "__main__":
    main()
