"""`bonescint segment`: write masks for scans."""

from __future__ import annotations

import os
import secrets
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from napari_bonescint.batch.cluster import require_distributed, segment_on_cluster
from napari_bonescint.batch.job import Job, Settings
from napari_bonescint.batch.pipeline import segment_here
from napari_bonescint.batch.processes import segment_in_processes
from napari_bonescint.commands import argument_types, reading_arguments
from napari_bonescint.commands.reading_arguments import describe_skipped, overrides_in
from napari_bonescint.commands.segment_progress import SegmentProgress
from napari_bonescint.file_group import clean_up
from napari_bonescint.formats.opening import collect
from napari_bonescint.formats.safe_reading.refusal import sentence_of
from napari_bonescint.results import Result
from napari_bonescint.text import DISCLAIMER

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from napari_bonescint.formats.opening import Collection

_DESCRIPTION = """\
Segment the skeleton in planar whole-body bone scans.

For every scan, DIR gets NAME.skeleton.tif (0 and 1), NAME.regions.tif (region codes, if the model names regions) and
NAME.json (the views, the model, the device and warnings). For a folder, DIR gets the same folders inside. Two files of
one study, each with one view, make one result. Results that exist are kept; after an interruption, give the same
command again.
"""

_EXAMPLES = """\
examples:
  bonescint segment scan.dcm --out masks
  bonescint segment export/ more.dcm --out masks --device cpu
  bonescint segment archive/ --out masks --workers 4
  bonescint segment anterior.png --view anterior --spacing 2.26 --out masks

exit status: 0 if all is done, 1 if something failed, 2 if the command is wrong, 130 after Ctrl-C.
"""


def add_to(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `bonescint segment`."""
    parser = argument_types.add_command(
        subcommands, "segment", "segment the skeleton in scans", _DESCRIPTION, _EXAMPLES
    )
    reading_arguments.add_reading_to(parser)
    argument_types.add_out_to(parser, "folder for the results")
    argument_types.add_current_model_to(
        parser, "--model", "a name from `bonescint models`, or a .safetensors file with its card beside it"
    )
    argument_types.add_device_to(parser)
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
        help="segment on the Dask cluster of this scheduler, such as tcp://10.0.0.7:8786; INPUT and DIR must have the "
        'same paths on all its computers (needs the extra: pip install "napari-bonescint[cluster]")',
    )
    parser.add_argument("--overwrite", action="store_true", help="replace results that were made from the same scan")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Segment scans; returns the exit status."""
    if arguments.scheduler is not None:
        _prepare_for_cluster(arguments)
    for given in arguments.inputs:
        # Path.is_dir raises where access is forbidden; `collect` reports that later.
        if os.path.isdir(given):  # noqa: PTH112
            print(f"Looking for scans in {given}", flush=True)
    found = collect(arguments.inputs)
    jobs, clashes = _plan(found, arguments.out)
    with SegmentProgress(len(jobs)) as progress:
        for failure in found.failures:
            progress.fail(f"error: {sentence_of(failure)}")
        for clash in clashes:
            progress.fail(f"error: {_describe_clash(clash)}", scans=len(clash))
        if found.skipped:
            progress.note(describe_skipped(found))
        _segment(jobs, arguments, progress)
    segmented, kept, failed = (progress.ends[kind] for kind in ("segmented", "kept", "failed"))
    print(f"{segmented} segmented, {kept} kept, {failed} failed.")
    print(f"{DISCLAIMER}: check every mask by eye.")
    return 1 if failed else 0


def _segment(jobs: list[Job], arguments: argparse.Namespace, progress: SegmentProgress) -> None:
    """Segment in this process, in several, or on a cluster."""
    for folder in {job.result.folder for job in jobs}:
        clean_up(folder)
    settings = Settings(arguments.model, arguments.device, overrides_in(arguments), arguments.overwrite)
    workers = min(arguments.workers or 1, len(jobs))
    if arguments.scheduler is None and workers < 2:
        segment_here(jobs, settings, progress)
        return
    settings = replace(settings, run=secrets.token_hex(8))
    if arguments.scheduler is None:
        segment_in_processes(jobs, settings, progress, workers)
    elif jobs:
        segment_on_cluster(jobs, settings, progress, arguments.scheduler, arguments.out)


def _prepare_for_cluster(arguments: argparse.Namespace) -> None:
    require_distributed()
    # Relative paths mean nothing on other computers.
    arguments.inputs = [path.absolute() for path in arguments.inputs]
    arguments.out = arguments.out.absolute()


def _plan(found: Collection, out: Path) -> tuple[list[Job], list[list[Job]]]:
    """The scans to segment, and groups of scans that are refused because their results would have one name."""
    by_place: dict[str, list[Job]] = defaultdict(list)
    for number, source in enumerate(found.sources):
        job = Job(number, source, Result(out / source.result.parent, source.result.name))
        # On Windows, names that differ only in letter case are one file.
        by_place[os.path.normcase(job.result.facts)].append(job)
    groups = list(by_place.values())
    return [group[0] for group in groups if len(group) == 1], [group for group in groups if len(group) > 1]


def _describe_clash(clash: list[Job]) -> str:
    names = ", ".join(job.name for job in clash[:3]) + (f" and {len(clash) - 3} more" if len(clash) > 3 else "")
    return (
        f"{names}: would all be written to {clash[0].result.skeleton}; give the folder above them as INPUT, or "
        "segment each with its own --out."
    )
