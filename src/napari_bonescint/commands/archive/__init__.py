"""`bonescint archive`: one module for each action, and what they share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_bonescint.commands import argument_types
from napari_bonescint.commands.archive import add, echo, find, get, listen, listing, remove, send

if TYPE_CHECKING:
    import argparse

_DESCRIPTION = """\
Speak with archives (PACS): set them up, test the connection, search, get scans, receive scans, and send results back.
ARCHIVE is the name of an archive that was set up, by `add` or in napari.

Secrets come from the system's keyring, or from environment variables such as BONESCINT_ARCHIVE_<NAME>_PASSWORD.
"""

_EXAMPLES = """\
examples:
  bonescint archive add pacs --kind dicomweb --url https://pacs.example/dicom-web --login basic --user bonescint
  bonescint archive echo pacs
  bonescint archive find pacs --patient-id 4711
  bonescint archive get pacs 1.2.840.1 --out scans
  bonescint archive send pacs scan.seg.dcm --source scan.dcm
  bonescint archive listen ward --out station --segment --send-back pacs
"""

_ACTIONS = (add, listing, remove, echo, find, get, send, listen)


def add_to(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `bonescint archive`."""
    parser = argument_types.add_command(
        subcommands, "archive", "search archives, get scans and send results", _DESCRIPTION, _EXAMPLES
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    for action in _ACTIONS:
        action.add_to(actions)
