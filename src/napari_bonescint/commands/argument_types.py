"""Arguments that several commands share, and the checks of their values."""

from __future__ import annotations

import argparse
import math
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_bonescint.inference.model_card import ModelCard, ModelError
from napari_bonescint.inference.model_registry import current_model, find_model

if TYPE_CHECKING:
    from collections.abc import Callable

CURRENT_MODEL = "current"
"""Value of --model for the model in use, which `bonescint models` marks."""

_MOST_DIGITS = 6
_MINUTES_IN_A_YEAR = 366 * 24 * 60


def folder(text: str) -> Path:
    """Check the name of a folder to write to; the folder need not exist."""
    if os.path.isfile(text):  # noqa: PTH113 - raises nothing, unlike Path.is_file
        raise argparse.ArgumentTypeError(f"{text} is a file, not a folder")
    return Path(text)


def model(text: str) -> ModelCard:
    """Find a model: the one in use, a shipped or an accepted one, or a weights file with its card."""
    try:
        return current_model() if text == CURRENT_MODEL else find_model(text)
    except ModelError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def device(text: str) -> str:
    """Check the name of a device; the device need not exist."""
    if not re.fullmatch(r"auto|cpu|cuda(:[0-9]+)?", text):
        raise argparse.ArgumentTypeError(f"{text!r} is none of auto, cpu, cuda and cuda:N")
    return text


def count(text: str, lowest: int = 1) -> int:
    """Read a whole number that is at least `lowest`."""
    # Python itself refuses to make a number of very many digits.
    if not (text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS and int(text) >= lowest):
        raise argparse.ArgumentTypeError(f"{text!r} is no number from {lowest}")
    return int(text)


def count_or_none(text: str) -> int:
    """Read a whole number that is at least 0."""
    return count(text, 0)


def minutes(text: str) -> float:
    """Read a time in minutes: more than 0, at most a year."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number <= _MINUTES_IN_A_YEAR:
        raise argparse.ArgumentTypeError(f"{text!r} is no time in minutes, such as 10 or 0.5")
    return number


def add_command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    summary: str,
    description: str,
    examples: str,
) -> argparse.ArgumentParser:
    """Add a command; its description and examples are printed with their own line breaks."""
    return commands.add_parser(
        name,
        help=summary,
        description=description,
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def add_store_action(
    actions: Any,
    run: Callable[[argparse.Namespace], int],
    name: str,
    summary: str,
    examples: str,
    description: str = "",
) -> argparse.ArgumentParser:
    """Add an action of `bonescint store`; its first argument is the store."""
    description = description or f"{summary[0].upper()}{summary[1:]}."
    parser = add_command(actions, name, summary, description, f"example:\n  {examples}")
    parser.add_argument("store", metavar="STORE", type=Path, help="folder of the label store")
    parser.set_defaults(run=run)
    return parser


def add_paths_to(parser: argparse.ArgumentParser, flag: str, help_text: str, metavar: str = "DIR") -> None:
    """Add an optional argument that takes folders or files to read."""
    parser.add_argument(flag, metavar=metavar, nargs="+", type=Path, default=[], help=help_text)


def add_out_to(parser: argparse.ArgumentParser, help_text: str) -> None:
    """Add the required argument --out."""
    parser.add_argument("--out", metavar="DIR", type=folder, required=True, help=help_text)


def add_report_to(parser: argparse.ArgumentParser, contents: str) -> None:
    """Add the argument --report."""
    parser.add_argument("--report", metavar="DIR", type=folder, help=f"new folder for {contents}")


def add_device_to(parser: argparse.ArgumentParser) -> None:
    """Add the argument --device."""
    parser.add_argument(
        "--device",
        metavar="auto|cpu|cuda[:N]",
        type=device,
        default="auto",
        help="where to compute (default: the first GPU, if there is one)",
    )


def add_models_to(parser: argparse.ArgumentParser) -> None:
    """Add the argument --model for several models."""
    parser.add_argument(
        "--model",
        metavar="NAME|FILE",
        nargs="+",
        type=model,
        help="names from `bonescint models`, or .safetensors files (default: all that come with this installation)",
    )


def add_current_model_to(parser: argparse.ArgumentParser, flag: str, help_text: str) -> None:
    """Add an argument for one model; its default is the model in use."""
    parser.add_argument(
        flag,
        metavar="NAME|FILE",
        type=model,
        default=CURRENT_MODEL,
        help=f"{help_text} (default: %(default)s, the model in use)",
    )
