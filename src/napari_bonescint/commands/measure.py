"""`bonescint measure`: write uptake, hot spots and the bone scan index of scans."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from napari_bonescint.batch.prior_scans import PriorScans
from napari_bonescint.commands import argument_types, many_scans, measuring_arguments, reading_arguments
from napari_bonescint.commands.terminal import print_error, print_line
from napari_bonescint.errors import BonescintError
from napari_bonescint.files.atomic import make_folder, write_bytes_atomically
from napari_bonescint.formats.dicom.identity import names_patient
from napari_bonescint.formats.safe_reading.refusal import Refusal, sentence_of
from napari_bonescint.measurement.files import MeasureFiles
from napari_bonescint.measurement.measures import RESEARCH_ONLY
from napari_bonescint.measurement.scan_table import TableRow, read_comparison, scan_table
from napari_bonescint.text.formatting import counted

if TYPE_CHECKING:
    from napari_bonescint.batch.job import Job

_DESCRIPTION = """\
Measure planar whole-body bone scans: uptake by region and side, hot spots, and the bone scan index.

For every scan, DIR gets NAME.regions.csv (uptake), NAME.hotspots.tif (numbered hot spots), NAME.hotspots.csv and
NAME.measures.json (the index, ratios, definitions, warnings), beside the masks that `bonescint segment` writes. Masks
of the same scan, model and views that are there already are used, also if you corrected them. Results that exist are
kept; after an interruption, give the same command again.

Quantities that a scan does not allow (no pixel size, a picture in place of counts) are empty, with the reason in
NAME.measures.json.
"""

_EXAMPLES = """\
examples:
  bonescint measure scan.dcm --out measured
  bonescint measure archive/ --out measured --workers 4 --table measured/all.csv
  bonescint measure scan.dcm --out measured --masks corrected/
  bonescint measure this-year/ --out measured --prior archive/ --report
  bonescint measure anterior.png --view anterior --spacing 2.26 --out measured

exit status: 0 if all is done, 1 if something failed, 2 if the command is wrong, 130 after Ctrl-C.
"""


def add_to(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `bonescint measure`."""
    parser = argument_types.add_command(
        subcommands, "measure", "measure uptake, hot spots and the bone scan index of scans", _DESCRIPTION, _EXAMPLES
    )
    reading_arguments.add_reading_to(parser)
    argument_types.add_out_to(parser, "folder for the results")
    measuring_arguments.add_masks_to(parser)
    parser.add_argument(
        "--prior",
        metavar="INPUT|DIR",
        type=Path,
        help="compare with a prior scan: the scan in this file or, in this folder, the latest earlier scan of the same "
        "patient, with the index over time if there are several (of scans whose files do not tell patient and day: the "
        "scan at the same place)",
    )
    measuring_arguments.add_same_patient_to(parser)
    measuring_arguments.add_report_to(parser)
    parser.add_argument(
        "--table", metavar="FILE", type=_table_file, help="CSV file with a row for each scan, without patient identity"
    )
    measuring_arguments.add_model_to(parser)
    many_scans.add_many_to(parser, "measure")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Measure scans; returns the exit status."""
    # Here, since other commands do without what this imports.
    from napari_bonescint.batch.measuring import Measuring

    many_scans.prepare_for_cluster(arguments, "masks", "prior")
    work = measuring_arguments.work_of(Measuring, arguments)
    found = many_scans.search(arguments.inputs)
    priors = None if arguments.prior is None else _priors(arguments, len(found.sources))
    ends, jobs = many_scans.work_through(
        found, arguments, work, completed=lambda jobs: jobs if priors is None else _with_priors(jobs, priors, arguments)
    )
    if arguments.table is not None:
        _write_table(arguments.table, jobs)
    measured, kept, failed = (ends[kind] for kind in ("measured", "kept", "failed"))
    print(f"{measured} measured, {kept} kept, {failed} failed.")
    print(RESEARCH_ONLY)
    return 1 if failed else 0


def _table_file(text: str) -> Path:
    if Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"{text} is a folder, not a file")
    return Path(text)


def _write_table(path: Path, jobs: list[Job]) -> None:
    """Write the table over all scans, those of earlier runs included."""
    rows = [_row(_row_name(number, job), job) for number, job in enumerate(jobs, 1)]
    make_folder(path.parent)
    write_bytes_atomically(path, scan_table(rows))
    print_line(f"Table: {path}")


def _row_name(number: int, job: Job) -> str:
    """The path of the result below its folder, or a number if a file or folder is named after the patient."""
    name = job.source.result.as_posix()
    try:
        return f"scan {number}" if any(names_patient(path, name) for path in job.source.paths) else name
    except Refusal:  # unreadable, and reported already
        return f"scan {number}"


def _row(name: str, job: Job) -> TableRow:
    from napari_bonescint.measurement.comparison.files import ComparisonFiles

    folder, stem = job.result.folder, job.result.stem
    try:
        there = MeasureFiles(folder, stem).recorded()
        if there is None or not there.complete or there.source_sha256 != job.source.source_sha256():
            return TableRow(name, None)
    except BonescintError:  # reported already
        return TableRow(name, None)
    comparison = None if not job.priors else read_comparison(ComparisonFiles(folder, stem).facts)
    ours = comparison is not None and comparison.source_sha256 == there.source_sha256
    return TableRow(name, there, comparison if ours else None)


def _priors(arguments: argparse.Namespace, scans: int) -> PriorScans:
    """The scans among which prior ones are searched."""
    collection = many_scans.search([arguments.prior])
    if not collection.sources:
        raise collection.failures[0]
    for failure in collection.failures:
        print_error(f"warning: {sentence_of(failure)}")
    one = len(collection.sources) == 1
    return PriorScans(collection.sources, chosen=one and (scans == 1 or not arguments.prior.is_dir()))


def _with_priors(jobs: list[Job], priors: PriorScans, arguments: argparse.Namespace) -> list[Job]:
    """Give each job its prior scans, and print the number of those without any."""
    found = [(job, priors.of(job.source)) for job in jobs]
    if alone := sum(not earlier for _, earlier in found):
        are = "has" if alone == 1 else "have"
        print_line(f"{counted(alone, 'scan')} {are} no earlier scan in {arguments.prior}, and no comparison.")
    return [
        replace(job, priors=tuple(many_scans.job_of(job.number, each, arguments.out) for each in earlier))
        for job, earlier in found
    ]
