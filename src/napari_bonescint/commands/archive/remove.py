"""`bonescint archive remove`: remove the set-up of an archive, and its secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_bonescint.archive.errors import ArchiveError
from napari_bonescint.archive.sending.outbox import Outbox
from napari_bonescint.archive.setup.credentials import forget_secrets
from napari_bonescint.archive.setup.setups_file import drop_setup, known_setup
from napari_bonescint.commands.archive.shared import add_action, print_json
from napari_bonescint.commands.terminal import print_error
from napari_bonescint.text.formatting import counted

if TYPE_CHECKING:
    import argparse

_DESCRIPTION = """\
Remove the set-up of an archive, and its secrets from the system's keyring. Nothing is removed from the archive itself,
and results that wait to be sent to it are kept.
"""


def add_to(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the action."""
    add_action(actions, run, "remove", "remove the set-up of an archive", "bonescint archive remove pacs", _DESCRIPTION)


def run(arguments: argparse.Namespace) -> int:
    """Remove a set-up; returns the exit status."""
    setup = known_setup(arguments.archive)
    drop_setup(setup.name)
    if arguments.json:
        print_json({"removed": setup.name})
    else:
        print(f"{setup.name} is removed.")
    if waiting := len(Outbox().parcels(setup.name)):
        print_error(f"warning: results of {counted(waiting, 'scan')} still wait to be sent to {setup.name}.")
    try:
        forget_secrets(setup)
    except ArchiveError as error:
        print_error(f"error: {error}")
        return 1
    return 0
