"""`bonescint compare`: compare a scan with a prior scan of the same patient."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from napari_bonescint.commands import argument_types, many_scans, measuring_arguments, reading_arguments
from napari_bonescint.errors import BonescintError
from napari_bonescint.measurement.measures import RESEARCH_ONLY

if TYPE_CHECKING:
    import argparse

    from napari_bonescint.formats.opening import Collection

_DESCRIPTION = """\
Compare a bone scan with a prior scan of the same patient: lesions that are new, gone, larger, smaller or the same, and
the change of the bone scan index.

DIR gets NAME.comparison.json and NAME.comparison.csv, a row for each lesion; NAME is that of the new scan. Masks and
measures of both scans that are in DIR already are used. Scans that must not be compared without reserve (another
tracer, another time after injection, ...) are compared with the reason in NAME.comparison.json.
"""

_EXAMPLES = """\
examples:
  bonescint compare 2026.dcm 2025.dcm --out compared
  bonescint compare 2026/ 2025/ --out compared --report

exit status: 0 if all is done, 1 if something failed, 2 if the command is wrong, 130 after Ctrl-C.
"""


class NotOneScan(BonescintError):
    """An input that holds several scans."""


def add_to(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `bonescint compare`."""
    parser = argument_types.add_command(
        subcommands, "compare", "compare a scan with a prior scan", _DESCRIPTION, _EXAMPLES
    )
    for name, what in (("new", "new"), ("old", "prior")):
        parser.add_argument(name, metavar=name.upper(), type=Path, help=f"file or folder with the {what} scan")
    reading_arguments.add_overrides_to(parser)
    argument_types.add_out_to(parser, "folder for the results")
    measuring_arguments.add_masks_to(parser)
    measuring_arguments.add_same_patient_to(parser)
    measuring_arguments.add_report_to(parser)
    measuring_arguments.add_model_to(parser)
    parser.add_argument("--overwrite", action="store_true", help="replace a comparison of the same scan")
    parser.set_defaults(run=run, workers=None, scheduler=None)


def run(arguments: argparse.Namespace) -> int:
    """Compare two scans; returns the exit status."""
    # Here, since other commands do without what this imports.
    from napari_bonescint.batch.comparing import Comparing

    work = measuring_arguments.work_of(Comparing, arguments)
    new, old = _one_scan(arguments.new), _one_scan(arguments.old)
    prior = many_scans.job_of(1, old.sources[0], arguments.out)
    ends, _ = many_scans.work_through(
        new, arguments, work, completed=lambda jobs: [replace(job, priors=(prior,)) for job in jobs]
    )
    print(RESEARCH_ONLY)
    return 1 if ends["failed"] else 0


def _one_scan(path: Path) -> Collection:
    """The one scan of a file or folder."""
    found = many_scans.search([path])
    if not found.sources:
        raise found.failures[0]
    if len(found.sources) > 1:
        raise NotOneScan(
            f"{path}: holds {len(found.sources)} scans; give the file of one; many are compared by "
            "`bonescint measure --prior`."
        )
    return found
