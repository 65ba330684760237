"""`bonescint archive send`: send results back to an archive."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_bonescint.archive.delivery import send_parcel, send_results
from napari_bonescint.archive.sending.outbox import Outbox
from napari_bonescint.commands.archive.shared import add_action, opened, print_json
from napari_bonescint.commands.terminal import print_error
from napari_bonescint.errors import BonescintError
from napari_bonescint.text.formatting import counted

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from napari_bonescint.archive.records import Answer

_DESCRIPTION = """\
Send DICOM SEG, SR, PDF or Secondary Capture files of one scan to an archive. Patient and study are compared with those
of the scan. The results get new series and instance identifiers in the scan's study, so nothing in the archive is
replaced. What does not arrive is kept; --kept tries it again.
"""


def add_to(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the action."""
    parser = add_action(
        actions,
        run,
        "send",
        "send results of a scan to its study",
        "bonescint archive send pacs scan.seg.dcm --source scan.dcm",
        _DESCRIPTION,
    )
    parser.add_argument("results", metavar="RESULT", nargs="*", type=Path, help="DICOM file of a result")
    parser.add_argument("--source", metavar="SCAN", type=Path, help="DICOM file of the scan that the results are of")
    parser.add_argument("--kept", action="store_true", help="send what did not arrive before")
    parser.set_defaults(fail=parser.error)


def run(arguments: argparse.Namespace) -> int:
    """Send results; returns the exit status."""
    if arguments.kept == bool(arguments.results):
        arguments.fail("give RESULT and --source, or --kept alone")
    if arguments.results and arguments.source is None:
        arguments.fail("--source is required: the scan that the results are of")
    with opened(arguments) as archive:
        if arguments.results:
            return _tell(send_results(archive, arguments.results, arguments.source), arguments)
        parcels = Outbox().parcels(arguments.archive)
        if not parcels and not arguments.json:
            print("Nothing waits to be sent.")
        failed = 0
        for parcel in parcels:
            try:
                failed |= _tell(send_parcel(archive, parcel), arguments)
            except BonescintError as error:
                print_error(f"error: {error}")
                failed = 1
        return failed


def _tell(answers: Sequence[Answer], arguments: argparse.Namespace) -> int:
    """Print what the archive answered; returns the exit status."""
    lost = [answer for answer in answers if not answer.is_kept]
    for answer in answers:
        if arguments.json:
            print_json(answer)
        elif answer.is_kept:
            print(f"{answer.instance_uid}: {answer.text}")
        else:
            print_error(f"error: {answer.instance_uid}: {answer.text}")
    if lost:
        print_error(f"error: {counted(len(lost), 'result')} did not arrive and is kept for another try: --kept.")
    return 1 if lost else 0
