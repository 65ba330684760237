"""The command line: `bonescint COMMAND ...`."""

from __future__ import annotations

import argparse
import io
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING

from napari_bonescint import __version__
from napari_bonescint.errors import BonescintError
from napari_bonescint.processes.child import end_with_starter
from napari_bonescint.text.formatting import DISCLAIMER
from napari_bonescint.text.plain_output import plain_output

if TYPE_CHECKING:
    from collections.abc import Sequence

_COMMANDS = (
    "segment",
    "measure",
    "compare",
    "models",
    "simulate",
    "train",
    "evaluate",
    "judge",
    "store",
    "archive",
    "benchmark",
)
"""Names of the commands and of their modules in `commands`, in the order in which --help lists them."""

_INTERRUPTED = 130
"""Exit status that shells report for a program ended by Ctrl-C."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line with arguments, by default those of the process, and return the exit status.

    It is 0 if all was done, 1 if something failed, 130 after Ctrl-C. Wrong arguments raise `SystemExit` with status 2;
    --help and --version raise it with 0.
    """
    end_with_starter()
    # A terminal's encoding may lack a character of a file name.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    with plain_output():
        return _run(argv)


def _run(argv: Sequence[str] | None) -> int:
    words = sys.argv[1:] if argv is None else argv
    # Importing all commands takes three times as long as importing one.
    asked = words[:1] if words and words[0] in _COMMANDS else _COMMANDS
    arguments = _parser(asked).parse_args(words)
    try:
        status: int = arguments.run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return _INTERRUPTED
    except BrokenPipeError:
        # The output is no longer read, as in `bonescint models | head`; Python would report it again at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except BonescintError as error:
        print(f"bonescint: {error}", file=sys.stderr)
        return 1
    return status


def _parser(commands: Sequence[str] = _COMMANDS) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bonescint",
        description=f"Segment the skeleton in planar whole-body bone scans, and measure them. {DISCLAIMER}.",
        epilog="examples:\n"
        "  bonescint segment scan.dcm --out masks\n"
        "  bonescint measure scan.dcm --out measured\n"
        "  bonescint models\n\n"
        "`bonescint COMMAND --help` describes a command.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"bonescint {__version__}")
    subcommands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name in commands:
        import_module(f"napari_bonescint.commands.{name}").add_to(subcommands)
    return parser
