"""`bonescint archive list`: list the archives that were set up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_bonescint.archive.setup.archive_setup import Kind
from napari_bonescint.archive.setup.setups_file import as_entry, read_setups, setups_file
from napari_bonescint.commands.archive.shared import add_named_action, print_json, print_table
from napari_bonescint.commands.terminal import print_error

if TYPE_CHECKING:
    import argparse

    from napari_bonescint.archive.setup.archive_setup import ArchiveSetup

_HEADINGS = ("NAME", "KIND", "ARCHIVE", "RECEIVES")


def add_to(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the action."""
    add_named_action(
        actions, run, "list", "list the archives that were set up", "example:\n  bonescint archive list --json"
    )


def run(arguments: argparse.Namespace) -> int:
    """List the archives; returns the exit status."""
    setups = read_setups()
    if arguments.json:
        for setup in setups:
            print_json(as_entry(setup))
    elif setups:
        print_table(_HEADINGS, ((each.name, each.kind, _archive(each), _receives(each)) for each in setups))
    else:
        print(f"No archive is set up in {setups_file()}.")
    for setup in setups:
        if problem := setup.problem():
            print_error(f"warning: {problem}")
    return 0


def _archive(setup: ArchiveSetup) -> str:
    if setup.kind is Kind.DICOMWEB:
        return setup.url
    return f"{setup.title} at {setup.host} port {setup.port}{_tls(setup.tls)}" if setup.host else ""


def _receives(setup: ArchiveSetup) -> str:
    if not setup.own_port:
        return ""
    callers = ", ".join(setup.callers)
    return f"{setup.own_title} at {setup.address} port {setup.own_port}{_tls(setup.own_tls)} from {callers}"


def _tls(is_used: bool) -> str:
    return " with TLS" if is_used else ""
