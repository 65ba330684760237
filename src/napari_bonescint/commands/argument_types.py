"""What several commands state alike, and kinds of arguments; each gives argparse a sentence about what is wrong."""

from __future__ import annotations

import argparse
import math
import os
import re
from pathlib import Path

from napari_bonescint.inference.model_card import ModelCard, ModelError
from napari_bonescint.inference.model_registry import current_model, find_model

CURRENT_MODEL = "current"
"""Given as --model: the one in use, which `bonescint models` marks."""

_MOST_DIGITS = 6
_YEAR = 366 * 24 * 60


def folder(text: str) -> Path:
    """A folder to write to, which need not exist."""
    if os.path.isfile(text):  # noqa: PTH113 - raises nothing, unlike Path.is_file
        raise argparse.ArgumentTypeError(f"{text} is a file, not a folder")
    return Path(text)


def model(text: str) -> ModelCard:
    """The model in use, a shipped or an accepted one, or a weights file with its card."""
    try:
        return current_model() if text == CURRENT_MODEL else find_model(text)
    except ModelError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def device(text: str) -> str:
    """The name of a device, which need not exist."""
    if not re.fullmatch(r"auto|cpu|cuda(:[0-9]+)?", text):
        raise argparse.ArgumentTypeError(f"{text!r} is none of auto, cpu, cuda and cuda:N")
    return text


def add_command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    summary: str,
    description: str,
    examples: str,
) -> argparse.ArgumentParser:
    """State a command, whose description and examples are printed as they are laid out."""
    return commands.add_parser(
        name,
        help=summary,
        description=description,
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def add_folders_to(parser: argparse.ArgumentParser, flag: str, what: str) -> None:
    """State an argument that names folders to read; none unless it is given."""
    parser.add_argument(flag, metavar="DIR", nargs="+", type=Path, default=[], help=what)


def add_report_to(parser: argparse.ArgumentParser, what: str) -> None:
    """State the argument --report."""
    parser.add_argument("--report", metavar="DIR", type=folder, help=f"new folder for {what}")


def add_device_to(parser: argparse.ArgumentParser) -> None:
    """State the argument --device."""
    parser.add_argument(
        "--device",
        metavar="auto|cpu|cuda[:N]",
        type=device,
        default="auto",
        help="where to compute (default: the first GPU, if there is one)",
    )


def count(text: str, lowest: int = 1) -> int:
    """A number from 1, or another lowest one."""
    return _whole_number(text, lowest)


def count_or_none(text: str) -> int:
    """A number from 0."""
    return _whole_number(text, 0)


def minutes(text: str) -> float:
    """A time in minutes, more than none and less than a year."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number <= _YEAR:
        raise argparse.ArgumentTypeError(f"{text!r} is no time in minutes, such as 10 or 0.5")
    return number


def _whole_number(text: str, lowest: int) -> int:
    # Python itself refuses to make a number of very many digits.
    if not (text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS and int(text) >= lowest):
        raise argparse.ArgumentTypeError(f"{text!r} is no number from {lowest}")
    return int(text)
