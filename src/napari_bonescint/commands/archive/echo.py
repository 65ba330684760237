"""`bonescint archive echo`, or `test`: test the connection to an archive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_bonescint.commands.archive.shared import add_action, opened, print_json

if TYPE_CHECKING:
    import argparse


def add_to(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the action."""
    for name in ("echo", "test"):
        summary = "test the connection and the login" if name == "echo" else "the same as echo"
        add_action(actions, run, name, summary, f"bonescint archive {name} pacs")


def run(arguments: argparse.Namespace) -> int:
    """Test an archive; returns the exit status."""
    with opened(arguments) as archive:
        sentence = archive.echo()
    if arguments.json:
        print_json({"archive": arguments.archive, "answer": sentence})
    else:
        print(sentence)
    return 0
