"""`bonescint archive get`: get the images of studies or series into a folder."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from napari_bonescint.archive.errors import ArchiveError
from napari_bonescint.archive.receiving.inbox import Inbox
from napari_bonescint.archive.records import is_uid
from napari_bonescint.commands import argument_types
from napari_bonescint.commands.archive.shared import add_action, opened, print_json
from napari_bonescint.commands.terminal import print_error, progress_bar
from napari_bonescint.text.formatting import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_bonescint.archive.interface import Archive
    from napari_bonescint.archive.progress import Progress
    from napari_bonescint.archive.records import Received, Series

_DESCRIPTION = """\
Get the images of studies. Each becomes a file DIR/STUDY/IMAGE.dcm; a file that is there already is never replaced.
The files identify the patient: put them where only those may read them who may know the patient.
"""


def add_to(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the action."""
    parser = add_action(
        actions,
        run,
        "get",
        "get the images of studies",
        "bonescint archive get pacs 1.2.840.1 --out scans",
        _DESCRIPTION,
    )
    parser.add_argument(
        "studies", metavar="STUDY", nargs="+", type=_uid, help="identifier of a study, as find prints it"
    )
    parser.add_argument("--series", metavar="UID", nargs="+", type=_uid, help="only these series")
    parser.add_argument(
        "--modality", metavar="CODE", default="NM", help="kind of series (default: %(default)s; empty for all)"
    )
    argument_types.add_out_to(parser, "folder for the images")


def run(arguments: argparse.Namespace) -> int:
    """Get images; returns the exit status."""
    inbox = Inbox(arguments.out, arguments.archive)
    received: list[Received] = []
    failed = False
    with opened(arguments) as archive:
        for series in _wanted(archive, arguments):
            try:
                received += _get(archive, series, inbox, arguments)
            except ArchiveError as error:
                print_error(f"error: {error}")
                failed = True
    if not received and not failed:
        print_error(f"error: {arguments.archive}: has no such images of these studies.")
        return 1
    if not arguments.json:
        present = sum(not each.is_new for each in received)
        there = f" ({present} there already)" if present else ""
        print(f"{counted(len(received), 'image')} in {arguments.out}{there}.")
    return 1 if failed else 0


def _get(archive: Archive, series: Series, inbox: Inbox, arguments: argparse.Namespace) -> tuple[Received, ...]:
    with progress_bar("getting") as advance:

        def tell(progress: Progress) -> None:
            if progress.total:
                advance(progress.done / progress.total)

        received = archive.get(series, inbox, on_progress=tell)
    if arguments.json:
        for each in received:
            print_json(each)
    return received


def _wanted(archive: Archive, arguments: argparse.Namespace) -> Iterator[Series]:
    for study in dict.fromkeys(arguments.studies):
        for series in archive.find_series(study).items:
            wanted = arguments.series is None or series.uid in arguments.series
            if wanted and arguments.modality.upper() in ("", series.modality):
                yield series


def _uid(text: str) -> str:
    if not is_uid(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no identifier such as 1.2.840.1")
    return text
