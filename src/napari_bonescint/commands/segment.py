"""`bonescint segment`: write masks for scans."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_bonescint.batch.segmenting import Segmenting
from napari_bonescint.commands import argument_types, many_scans, reading_arguments
from napari_bonescint.commands.reading_arguments import overrides_in
from napari_bonescint.text.formatting import DISCLAIMER

if TYPE_CHECKING:
    import argparse

_DESCRIPTION = """\
Segment the skeleton in planar whole-body bone scans.

For every scan, DIR gets NAME.skeleton.tif (0 and 1), NAME.regions.tif (region codes, if the model names regions) and
NAME.json (the views, the model, the device and warnings). For a folder, DIR gets the same folders inside. Two files of
one study, each with one view, make one result. Results that exist are kept; after an interruption, give the same
command again.
"""

_EXAMPLES = """\
examples:
  bonescint segment scan.dcm --out masks
  bonescint segment export/ more.dcm --out masks --device cpu
  bonescint segment archive/ --out masks --workers 4
  bonescint segment anterior.png --view anterior --spacing 2.26 --out masks

exit status: 0 if all is done, 1 if something failed, 2 if the command is wrong, 130 after Ctrl-C.
"""


def add_to(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `bonescint segment`."""
    parser = argument_types.add_command(
        subcommands, "segment", "segment the skeleton in scans", _DESCRIPTION, _EXAMPLES
    )
    reading_arguments.add_reading_to(parser)
    argument_types.add_out_to(parser, "folder for the results")
    argument_types.add_current_model_to(
        parser, "--model", "a name from `bonescint models`, or a .safetensors file with its card beside it"
    )
    argument_types.add_device_to(parser)
    many_scans.add_many_to(parser, "segment")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Segment scans; returns the exit status."""
    many_scans.prepare_for_cluster(arguments)
    work = Segmenting(arguments.model, arguments.device, overrides_in(arguments), arguments.overwrite)
    ends, _ = many_scans.work_through(many_scans.search(arguments.inputs), arguments, work)
    segmented, kept, failed = (ends[kind] for kind in ("segmented", "kept", "failed"))
    print(f"{segmented} segmented, {kept} kept, {failed} failed.")
    print(f"{DISCLAIMER}: check every mask by eye.")
    return 1 if failed else 0
