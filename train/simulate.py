"""Simulate training cases.

    python train/simulate.py --out data/cases --count 500 --workers 2

Each case is a file case_SEED.npz with the expected counts of both views and their true regions. Cases that exist are
kept, so an interrupted run goes on where it was. Needs the extra [simulate].
"""

from __future__ import annotations

import argparse
import multiprocessing
from pathlib import Path

from tqdm import tqdm

from napari_bonescint.simulation.case import simulate
from napari_bonescint.simulation.geometry import BonePoints, build_points, load_model
from napari_bonescint.simulation.pose import Skeleton

_skeleton: list[Skeleton] = []


def _start(geometry: Path) -> None:
    _skeleton.append(Skeleton(load_model(), BonePoints.load(geometry)))


def _make(job: tuple[int, Path]) -> None:
    seed, path = job
    if not path.exists():
        simulate(_skeleton[0], seed).save(path)


def main() -> None:
    """Simulate as the command line asks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for the case files")
    parser.add_argument("--count", type=int, required=True, help="how many cases")
    parser.add_argument("--first", type=int, default=1000, help="seed of the first case (default 1000)")
    parser.add_argument("--workers", type=int, default=1, help="processes (default 1)")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    geometry = options.out / "skeleton.npz"
    if not geometry.exists():
        build_points(load_model()).save(geometry)
    jobs = [
        (seed, options.out / f"case_{seed:06d}.npz") for seed in range(options.first, options.first + options.count)
    ]
    with multiprocessing.get_context("spawn").Pool(options.workers, _start, (geometry,)) as pool:
        for _ in tqdm(pool.imap_unordered(_make, jobs), total=len(jobs), unit="case"):
            pass


if __name__ == "__main__":
    main()
