"""`bonescint simulate`: cases to train on and to score on."""

from __future__ import annotations

import argparse
import importlib.util
import multiprocessing
import sys
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from tqdm import tqdm

from napari_bonescint.child_process import serve_parent
from napari_bonescint.commands import argument_types
from napari_bonescint.errors import BonescintError
from napari_bonescint.training.splits import SIMULATED_SPLITS, case_path, read_splits, split_of

if TYPE_CHECKING:
    from pathlib import Path

_DESCRIPTION = """\
Simulate bone scans whose true regions are known.

For every seed, DIR gets case_SEED.npz: the expected counts of both views by source, and the true regions. Cases that
are there already are kept, so that an interrupted run is taken up by giving the same command again; the same seed gives
the same case. DIR also gets skeleton.npz, the bones' geometry, which the first run prepares in about a minute.

Which seeds are for training, validation and test stands in train/splits.toml.
"""

_EXAMPLES = """\
examples:
  bonescint simulate --out data/training --split training --count 500 --workers 2
  bonescint simulate --out data/test --split test
  bonescint simulate --out scans --first 7 --count 3 --dicom

Needs the extra [simulate]: pip install "napari-bonescint[simulate]".
"""


class SimulationError(BonescintError):
    """A simulation that cannot begin."""


class _Job(NamedTuple):
    folder: Path
    seed: int
    dicom: bool


def add_to(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """State the arguments of `bonescint simulate`."""
    parser = argument_types.add_command(
        subcommands, "simulate", "simulate bone scans whose true regions are known", _DESCRIPTION, _EXAMPLES
    )
    parser.add_argument("--out", metavar="DIR", type=argument_types.folder, required=True, help="folder for the cases")
    parser.add_argument(
        "--count",
        metavar="N",
        type=argument_types.count,
        help="how many (default: as many as are scored of the split; 1 with --first)",
    )
    seeds = parser.add_mutually_exclusive_group()
    seeds.add_argument("--first", metavar="SEED", type=_seed, help="seed of the first case; the others follow")
    seeds.add_argument(
        "--split", choices=SIMULATED_SPLITS, default="training", help="take its seeds (default: %(default)s)"
    )
    parser.add_argument(
        "--workers", metavar="N", type=argument_types.count, default=1, help="processes (default: %(default)s)"
    )
    parser.add_argument(
        "--dicom",
        action="store_true",
        help="write counted scans as case_SEED.dcm (DICOM NM) with case_SEED.regions.tif instead of .npz",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Simulate what is missing; the exit status."""
    seeds = _seeds(arguments)
    jobs = [_Job(arguments.out, seed, arguments.dicom) for seed in seeds]
    missing = [job for job in jobs if not all(path.exists() for path in _files(job))]
    if missing:
        _simulate(missing, arguments.out, min(arguments.workers, len(missing)))
    print(f"{len(missing)} simulated, {len(jobs) - len(missing)} kept in {arguments.out}")
    return 0


def _simulate(jobs: list[_Job], folder: Path, workers: int) -> None:
    geometry = prepare_geometry(folder)
    with multiprocessing.get_context("spawn").Pool(workers, serve_parent) as pool:
        for _ in tqdm(
            pool.imap_unordered(partial(_make, geometry), jobs), total=len(jobs), unit="case", file=sys.stderr
        ):
            pass


def prepare_geometry(folder: Path) -> Path:
    """The bones' geometry in a folder, which is made with what is missing.

    Raises
    ------
    SimulationError
        If what simulates is not installed, or the folder cannot be made.
    """
    for package in ("mujoco", "myo_sim"):
        if importlib.util.find_spec(package) is None:
            raise SimulationError(
                f'Simulating needs {package}, which is not installed: pip install "napari-bonescint[simulate]".'
            )
    from napari_bonescint.simulation.geometry import BonePoints, build_points, load_model

    geometry = folder / "skeleton.npz"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SimulationError(f"{folder}: cannot be made ({error.strerror}).") from error
    if not BonePoints.is_current(geometry):
        print("Preparing the bones' geometry, about a minute.", flush=True)
        build_points(load_model()).save(geometry)
    return geometry


def _make(geometry: Path, job: _Job) -> None:
    from napari_bonescint.formats.label_tiff import write_labels
    from napari_bonescint.simulation.case import simulate
    from napari_bonescint.simulation.nuclear_medicine import write_nuclear_medicine
    from napari_bonescint.simulation.pose import load_skeleton

    case = simulate(load_skeleton(geometry), job.seed)
    if not job.dicom:
        case.save(_files(job)[0])
        return
    scan_path, regions_path = _files(job)
    scan = split_of(job.seed).scan(case, job.seed)
    write_nuclear_medicine(scan, scan_path)
    write_labels(regions_path, case.regions, scan.spacing)


def _files(job: _Job) -> tuple[Path, ...]:
    path = case_path(job.folder, job.seed)
    return (path.with_suffix(".dcm"), path.with_suffix(".regions.tif")) if job.dicom else (path,)


def _seeds(arguments: argparse.Namespace) -> range:
    split = read_splits()[arguments.split]
    if arguments.first is not None:
        return range(arguments.first, arguments.first + (arguments.count or 1))
    count = arguments.count or split.scored
    if count > split.scored and not split.is_open:
        raise SimulationError(f"The {split.name} split has {split.scored} cases, not {count}.")
    return range(split.first, split.first + count)


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no seed, a number from 0")
    return int(text)
