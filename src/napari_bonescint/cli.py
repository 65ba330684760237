"""The command line: `bonescint COMMAND ...`."""

from __future__ import annotations

import argparse
import io
import os
import sys
from typing import TYPE_CHECKING

from napari_bonescint import __version__
from napari_bonescint.child_process import end_with_starter
from napari_bonescint.commands import benchmark, evaluate, judge, models, segment, simulate, store, train
from napari_bonescint.errors import BonescintError
from napari_bonescint.plain_output import plain_output

if TYPE_CHECKING:
    from collections.abc import Sequence

_COMMANDS = (segment, models, simulate, train, evaluate, judge, store, benchmark)

_INTERRUPTED = 130
"""What shells report for a program that Ctrl-C ended."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments; those of the process by default.

    Returns
    -------
    int
        Exit status: 0 if all was done, 1 if something failed, 130 if the user interrupted it.

    Raises
    ------
    SystemExit
        With status 2 if the arguments are wrong, and with 0 after --help and --version.
    """
    end_with_starter()
    # A file name is printed even where the terminal's encoding lacks one of its characters.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    with plain_output():
        return _run(argv)


def _run(argv: Sequence[str] | None) -> int:
    arguments = _parser().parse_args(argv)
    try:
        status: int = arguments.run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return _INTERRUPTED
    except BrokenPipeError:
        # The reader of our output is gone, as in `bonescint models | head`; Python would complain again on its way out.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except BonescintError as error:
        print(f"bonescint: {error}", file=sys.stderr)
        return 1
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bonescint",
        description="Segment the skeleton in planar whole-body bone scans. Research software, not a medical device.",
        epilog="examples:\n"
        "  bonescint segment scan.dcm --out masks\n"
        "  bonescint models\n\n"
        "`bonescint COMMAND --help` tells more about a command.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"bonescint {__version__}")
    subcommands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in _COMMANDS:
        command.add_to(subcommands)
    return parser
