"""`bonescint simulate`: simulate scans to train on and to score on."""

from __future__ import annotations

import argparse
import importlib.util
import multiprocessing
import sys
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from tqdm import tqdm

from napari_bonescint.commands import argument_types, simulate_patients
from napari_bonescint.errors import BonescintError
from napari_bonescint.files.atomic import make_folder
from napari_bonescint.processes.child import end_with_parent
from napari_bonescint.simulation.splits import SPLITS_OF_BODIES, case_path, read_splits, split_of
from napari_bonescint.text.formatting import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from typing import Any

_DESCRIPTION = """\
Simulate bone scans whose true regions are known.

For every seed, DIR gets case_SEED.npz: the expected counts of both views by source, and the true regions. The same seed
always gives the same case. Existing cases are kept; after an interruption, give the same command again. DIR also gets
skeleton.npz, the geometry of the bones; the first run prepares it in about a minute.

train/splits.toml lists the seeds for training, validation and test, and for lesions (hot spots, bone scan index).

With --dicom --patients N, DIR gets scans of N patients of an invented department, one to three scans of each patient on
different days: scans/*.dcm (DICOM NM with Patient ID, issuer, study and date), masks/*.regions.tif, and masks.csv, a
table for `bonescint store import --table`. No model of this installation was trained on these bodies.
docs/tutorial.md shows the next steps.
"""

_EXAMPLES = """\
examples:
  bonescint simulate --out data/training --split training --count 500 --workers 2
  bonescint simulate --out data/test --split test
  bonescint simulate --out scans --first 7 --count 3 --dicom
  bonescint simulate --out department --dicom --patients 60 --workers 2

Needs the extra [simulate]: pip install "napari-bonescint[simulate]".
"""
_USUAL_SPLIT = "training"


class SimulationError(BonescintError):
    """A simulation cannot start."""


class _SimulationJob(NamedTuple):
    folder: Path
    seed: int
    dicom: bool

    @property
    def files(self) -> tuple[Path, ...]:
        """The files of the case."""
        path = case_path(self.folder, self.seed)
        return (path.with_suffix(".dcm"), path.with_suffix(".regions.tif")) if self.dicom else (path,)


def add_to(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `bonescint simulate`."""
    parser = argument_types.add_command(
        subcommands, "simulate", "simulate bone scans whose true regions are known", _DESCRIPTION, _EXAMPLES
    )
    argument_types.add_out_to(parser, "folder for the cases")
    number = parser.add_mutually_exclusive_group()
    number.add_argument(
        "--count",
        metavar="N",
        type=argument_types.count,
        help="number of cases (default: the scored cases of the split; 1 with --first)",
    )
    number.add_argument(
        "--patients",
        metavar="N",
        type=argument_types.count,
        help="with --dicom: patients of an invented department, one to three scans of each, and a table of their masks",
    )
    seeds = parser.add_mutually_exclusive_group()
    seeds.add_argument("--first", metavar="SEED", type=_seed, help="seed of the first case; the next seeds follow")
    seeds.add_argument("--split", choices=SPLITS_OF_BODIES, help=f"use the seeds of a split (default: {_USUAL_SPLIT})")
    processes = "number of processes (default: %(default)s)"
    parser.add_argument("--workers", metavar="N", type=argument_types.count, default=1, help=processes)
    parser.add_argument(
        "--dicom",
        action="store_true",
        help="write counted scans as case_SEED.dcm (DICOM NM) with case_SEED.regions.tif instead of .npz",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Simulate the missing cases; returns the exit status."""
    if arguments.patients is not None:
        return _run_patients(arguments)
    jobs = [_SimulationJob(arguments.out, seed, arguments.dicom) for seed in _seeds(arguments)]
    _simulate_missing(_make, jobs, arguments)
    return 0


def _run_patients(arguments: argparse.Namespace) -> int:
    if not arguments.dicom or arguments.split:
        raise SimulationError("--patients has its own seeds and makes DICOM files: give --dicom and leave out --split.")
    jobs = simulate_patients.jobs_of(arguments.out, _patients(arguments))
    _simulate_missing(simulate_patients.make, jobs, arguments)
    table = simulate_patients.write_table(arguments.out, jobs)
    print(f"{counted(arguments.patients, 'patient')} with {counted(len(jobs), 'scan')}; their masks: {table}")
    return 0


def _simulate_missing(
    make: Callable[[Path, Any], None],
    jobs: Sequence[_SimulationJob] | Sequence[simulate_patients.PatientJob],
    arguments: argparse.Namespace,
) -> None:
    """Simulate the jobs that lack a file, and print their number."""
    missing = [job for job in jobs if not all(path.exists() for path in job.files)]
    if missing:
        geometry = prepare_geometry(arguments.out)
        with multiprocessing.get_context("spawn").Pool(min(arguments.workers, len(missing)), end_with_parent) as pool:
            made = pool.imap_unordered(partial(make, geometry), missing)
            for _ in tqdm(made, total=len(missing), unit="case", file=sys.stderr):
                pass
    print(f"{len(missing)} simulated, {len(jobs) - len(missing)} kept in {arguments.out}")


def prepare_geometry(folder: Path) -> Path:
    """The file of the bones' geometry in a folder; the folder and the file are made if they are missing.

    Raises
    ------
    SimulationError
        If the packages for simulation are not installed.
    CannotWrite
        If the folder cannot be made.
    """
    for package in ("mujoco", "myo_sim"):
        if importlib.util.find_spec(package) is None:
            raise SimulationError(
                f'Simulation needs {package}, which is not installed: pip install "napari-bonescint[simulate]".'
            )
    from napari_bonescint.simulation.geometry import BonePoints, build_points, load_model

    geometry = folder / "skeleton.npz"
    make_folder(folder)
    if not BonePoints.is_current(geometry):
        print("Preparing the bones' geometry, about a minute.", flush=True)
        build_points(load_model()).save(geometry)
    return geometry


def _make(geometry: Path, job: _SimulationJob) -> None:
    from napari_bonescint.formats.masks.label_tiff import write_labels
    from napari_bonescint.simulation.case import simulate
    from napari_bonescint.simulation.nuclear_medicine import write_nuclear_medicine
    from napari_bonescint.simulation.pose import load_skeleton

    split = split_of(job.seed)
    case = simulate(load_skeleton(geometry), job.seed, metastases=split.metastases_of(job.seed))
    if not job.dicom:
        case.save(job.files[0])
        return
    scan_path, regions_path = job.files
    scan = split.scan(case, job.seed)
    write_nuclear_medicine(scan, scan_path)
    write_labels(regions_path, case.regions, scan.spacing)


def _patients(arguments: argparse.Namespace) -> range:
    from napari_bonescint.simulation.department import PATIENTS

    if arguments.first is not None:
        return range(arguments.first, arguments.first + arguments.patients)
    if arguments.patients > len(PATIENTS):
        raise SimulationError(
            f"The department has {len(PATIENTS)} patients, not {arguments.patients}; give a seed with --first for more."
        )
    return PATIENTS[: arguments.patients]


def _seeds(arguments: argparse.Namespace) -> range:
    split = read_splits()[arguments.split or _USUAL_SPLIT]
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
