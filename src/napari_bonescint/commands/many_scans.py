"""Work on many scans: find them, plan the paths of results, and start the work here, in processes or on a cluster.

`bonescint segment` and `bonescint measure` share it, and so behave alike.
"""

from __future__ import annotations

import os
import secrets
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from napari_bonescint.batch.cluster import require_distributed, work_on_cluster
from napari_bonescint.batch.job import Job
from napari_bonescint.batch.pipeline import work_here
from napari_bonescint.batch.processes import work_in_processes
from napari_bonescint.commands import argument_types
from napari_bonescint.commands.reading_arguments import describe_skipped
from napari_bonescint.commands.scan_progress import ScanProgress
from napari_bonescint.files.group import clean_up
from napari_bonescint.formats.opening import collect
from napari_bonescint.formats.safe_reading.refusal import sentence_of
from napari_bonescint.results import Result

if TYPE_CHECKING:
    import argparse
    from collections import Counter
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from napari_bonescint.batch.comparing import Comparing
    from napari_bonescint.batch.measuring import Measuring
    from napari_bonescint.batch.segmenting import Segmenting
    from napari_bonescint.formats.opening import Collection, ScanSource

_Work = TypeVar("_Work", "Segmenting", "Measuring", "Comparing")


def add_many_to(parser: argparse.ArgumentParser, verb: str) -> None:
    """Add --workers, --scheduler and --overwrite to a command that segments or measures (`verb`)."""
    many = parser.add_mutually_exclusive_group()
    many.add_argument(
        "--workers",
        metavar="N",
        type=argument_types.count,
        help="number of processes, which share the cores and the GPUs of this computer (default: 1)",
    )
    many.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help=f"{verb} on the Dask cluster of this scheduler, such as tcp://10.0.0.7:8786; INPUT and DIR must have the "
        'same paths on all its computers (needs the extra: pip install "napari-bonescint[cluster]")',
    )
    parser.add_argument("--overwrite", action="store_true", help="replace results that were made from the same scan")


def prepare_for_cluster(arguments: argparse.Namespace, *others: str) -> None:
    """If there is a cluster, make the paths absolute: relative ones mean nothing on other computers.

    `others` are the names of further arguments that are a path.
    """
    if arguments.scheduler is None:
        return
    require_distributed()
    arguments.inputs = [path.absolute() for path in arguments.inputs]
    for name in ("out", *others):
        path = getattr(arguments, name)
        setattr(arguments, name, None if path is None else path.absolute())


def search(inputs: Iterable[Path]) -> Collection:
    """Find scans in files and folders, and print the folders."""
    inputs = list(inputs)
    for given in inputs:
        # Path.is_dir raises where access is forbidden; `collect` reports that later.
        if os.path.isdir(given):  # noqa: PTH112
            print(f"Looking for scans in {given}", flush=True)
    return collect(inputs)


def work_through(
    found: Collection,
    arguments: argparse.Namespace,
    work: _Work,
    *,
    completed: Callable[[list[Job]], list[Job]] = lambda jobs: jobs,
) -> tuple[Counter[str], list[Job]]:
    """Do the work on all scans of a collection, and print what becomes of each.

    Parameters
    ----------
    found : Collection
        The scans, and files that could not be read.
    arguments : argparse.Namespace
        `out`, `workers` and `scheduler` of the command.
    work : Segmenting or Measuring
        The work.
    completed : callable
        Adds to jobs what the work needs besides the scan.

    Returns
    -------
    Counter of str, list of Job
        Number of scans that were segmented or measured, were kept and failed; and the jobs.
    """
    jobs, clashes = _plan(found, arguments.out)
    jobs = completed(jobs)
    with ScanProgress(len(jobs)) as progress:
        for failure in found.failures:
            progress.fail(f"error: {sentence_of(failure)}")
        for clash in clashes:
            progress.fail(f"error: {_describe_clash(clash, work)}", scans=len(clash))
        if found.skipped:
            progress.note(describe_skipped(found))
        _do(jobs, work, arguments, progress)
    return progress.ends, jobs


def _do(jobs: list[Job], work: _Work, arguments: argparse.Namespace, progress: ScanProgress) -> None:
    """Work in this process, in several, or on a cluster."""
    for folder in {job.result.folder for job in jobs}:
        clean_up(folder)
    workers = min(arguments.workers or 1, len(jobs))
    if arguments.scheduler is None and workers < 2:
        work_here(jobs, work, progress)
        return
    work = replace(work, run=secrets.token_hex(8))
    if arguments.scheduler is None:
        work_in_processes(jobs, work, progress, workers)
    elif jobs:
        work_on_cluster(jobs, work, progress, arguments.scheduler, arguments.out)


def job_of(number: int, source: ScanSource, out: Path) -> Job:
    """The job of a scan, whose results lie in `out` as its files do below the user's folder."""
    return Job(number, source, Result(out / source.result.parent, source.result.name))


def _plan(found: Collection, out: Path) -> tuple[list[Job], list[list[Job]]]:
    """The scans to work on, and groups of scans that are refused because their results would have one name."""
    by_place: dict[str, list[Job]] = defaultdict(list)
    for number, source in enumerate(found.sources):
        job = job_of(number, source, out)
        # On Windows, names that differ only in letter case are one file.
        by_place[os.path.normcase(job.result.facts)].append(job)
    groups = list(by_place.values())
    return [group[0] for group in groups if len(group) == 1], [group for group in groups if len(group) > 1]


def _describe_clash(clash: list[Job], work: _Work) -> str:
    names = ", ".join(job.name for job in clash[:3]) + (f" and {len(clash) - 3} more" if len(clash) > 3 else "")
    return (
        f"{names}: would all be written to {work.main_file(clash[0].result)}; give the folder above them as INPUT, or "
        f"{work.verb} each with its own --out."
    )
