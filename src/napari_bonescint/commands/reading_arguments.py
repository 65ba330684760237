"""Arguments of commands that read scans: the files, and corrections of their view, spacing and orientation."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING

from napari_bonescint.formats.left_out import by_reason
from napari_bonescint.formats.opening import ScanOverrides
from napari_bonescint.scan import ViewName
from napari_bonescint.text.formatting import counted

if TYPE_CHECKING:
    from napari_bonescint.formats.opening import Collection


def add_reading_to(parser: argparse.ArgumentParser) -> None:
    """Add the input files, and the arguments that overrule facts in the files."""
    parser.add_argument(
        "inputs", metavar="INPUT", nargs="+", type=Path, help="DICOM, PNG or TIFF file, or a folder of DICOM files"
    )
    add_overrides_to(parser)


def add_overrides_to(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that overrule facts in the files."""
    parser.add_argument(
        "--view",
        choices=[name.value for name in ViewName],
        help="view of all images, in place of what their files say (of two views, the first)",
    )
    spacing = "pixel size of images whose files do not state it"
    parser.add_argument("--spacing", metavar="MM", type=_millimetres, help=spacing)
    parser.add_argument(
        "--split-sides",
        action="store_true",
        help="cut images with two views side by side into halves: anterior on the left, posterior on the right",
    )
    parser.add_argument(
        "--flip-posterior",
        action="store_true",
        help="mirror the posterior views of files that show them mirrored; the masks belong to the mirrored image",
    )


def overrides_in(arguments: argparse.Namespace) -> ScanOverrides:
    """The user's corrections of facts in the files."""
    return ScanOverrides(
        view=None if arguments.view is None else ViewName(arguments.view),
        spacing=None if arguments.spacing is None else (arguments.spacing, arguments.spacing),
        split_sides=arguments.split_sides,
        flip_posterior=arguments.flip_posterior,
    )


def describe_skipped(found: Collection) -> str:
    """A sentence on the number of files in folders that are no scans, with the most frequent reasons."""
    skipped = sum(found.skipped.values())
    reasons = by_reason(found.skipped)
    listed = "; ".join(reasons[:3])
    end = "; ..." if len(reasons) > 3 else "."
    are = "that is no planar bone scan" if skipped == 1 else "that are no planar bone scans"
    return f"Skipped {counted(skipped, 'file')} in folders {are}: {listed}{end}"


def _millimetres(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no length in millimetres, such as 2.26")
    return number
