"""`bonescint measure`: write uptake, hot spots and the bone scan index of scans."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_bonescint.atomic import make_folder, write_bytes_atomically
from napari_bonescint.batch.measuring import NO_REGIONS, Measuring
from napari_bonescint.commands import argument_types, many_scans, reading_arguments
from napari_bonescint.commands.reading_arguments import overrides_in
from napari_bonescint.commands.terminal import print_line
from napari_bonescint.errors import BonescintError
from napari_bonescint.formats.dicom.identity import names_patient
from napari_bonescint.formats.safe_reading.refusal import Refusal
from napari_bonescint.inference.model_card import ModelError
from napari_bonescint.measurement.files import MeasureFiles
from napari_bonescint.measurement.measures import RESEARCH_ONLY
from napari_bonescint.measurement.scan_table import scan_table

if TYPE_CHECKING:
    import argparse

    from napari_bonescint.batch.job import Job
    from napari_bonescint.measurement.files import RecordedMeasures

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
    parser.add_argument(
        "--masks",
        metavar="DIR",
        type=Path,
        help="measure with the masks in this folder instead of segmenting: NAME.regions.tif, or DICOM SEG or NIfTI of "
        "the same pixels",
    )
    parser.add_argument(
        "--table", metavar="FILE", type=_table_file, help="CSV file with a row for each scan, without patient identity"
    )
    argument_types.add_current_model_to(
        parser, "--model", "a name from `bonescint models`, or a .safetensors file with its card beside it"
    )
    argument_types.add_device_to(parser)
    many_scans.add_many_to(parser, "measure")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Measure scans; returns the exit status."""
    many_scans.prepare_for_cluster(arguments, "masks")
    if arguments.masks is None and not arguments.model.names_regions:
        raise ModelError(NO_REGIONS.format(arguments.model.name))
    if arguments.masks is not None and not arguments.masks.is_dir():
        raise BonescintError(f"{arguments.masks}: is no folder; --masks takes the folder with the masks.")
    work = Measuring(
        arguments.model, arguments.device, overrides_in(arguments), arguments.overwrite, masks=arguments.masks
    )
    ends, jobs = many_scans.work_through(many_scans.search(arguments.inputs), arguments, work)
    if arguments.table is not None:
        _write_table(arguments.table, jobs)
    measured, kept, failed = (ends[kind] for kind in ("measured", "kept", "failed"))
    print(f"{measured} measured, {kept} kept, {failed} failed.")
    print(RESEARCH_ONLY)
    return 1 if failed else 0


def _table_file(text: str) -> Path:
    import argparse

    if Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"{text} is a folder, not a file")
    return Path(text)


def _write_table(path: Path, jobs: list[Job]) -> None:
    """Write the table over all scans, those of earlier runs included."""
    rows = [(_row_name(number, job), _recorded(job)) for number, job in enumerate(jobs, 1)]
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


def _recorded(job: Job) -> RecordedMeasures | None:
    try:
        there = MeasureFiles(job.result.folder, job.result.stem).recorded()
        if there is None or not there.complete or there.source_sha256 != job.source.source_sha256():
            return None
    except BonescintError:  # reported already
        return None
    return there
