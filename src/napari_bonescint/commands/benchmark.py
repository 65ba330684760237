"""`bonescint benchmark`: measure the speed of each engine and model on this computer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_bonescint.commands import argument_types
from napari_bonescint.files.atomic import write_bytes_atomically
from napari_bonescint.inference.model_card import shipped_models

if TYPE_CHECKING:
    import argparse

_SAMPLE = Path(__file__).parents[1] / "samples" / "simulated.dcm"

_DESCRIPTION = """\
Measure on the CPU the time and memory that every engine needs for a model, and compare its output with that of the
plain network. Each measurement runs in its own process, with the simulated sample scan: first on a grid of 1024 x 256,
then on the model's own grid. Do not use the computer meanwhile. On two cores, all models of this installation take 45
minutes; a single model takes one or two minutes, and FDN-16 more. An NVIDIA card is measured, too: in each precision,
and relative to its peak arithmetic.
"""


def add_to(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `bonescint benchmark`."""
    parser = argument_types.add_command(
        subcommands,
        "benchmark",
        "measure how fast each engine is on this computer",
        _DESCRIPTION,
        "examples:\n  bonescint benchmark --model phase-u-net-regions\n  bonescint benchmark --out docs/speed.md",
    )
    argument_types.add_models_to(parser)
    parser.add_argument("--out", metavar="FILE", type=Path, help="also write the table to a Markdown file")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Measure, print the table and write it; returns the exit status."""
    from napari_bonescint.formats.opening import open_scan
    from napari_bonescint.inference.benchmark import Timing, markdown, measure
    from napari_bonescint.inference.gpu_benchmark import gpu_page

    cards = arguments.model or shipped_models()
    timings = []
    for outcome in measure(cards, open_scan(_SAMPLE)):
        if isinstance(outcome, Timing):
            timings.append(outcome)
            rows, columns = outcome.shape
            print(f"{outcome.model}, {rows} x {columns}, {outcome.engine}: {outcome.milliseconds:.0f} ms", flush=True)
        else:
            print(outcome, flush=True)
    page = markdown(timings) + gpu_page(cards, open_scan(_SAMPLE))
    print(f"\n{page}")
    if arguments.out is not None:
        write_bytes_atomically(arguments.out, page.encode())
    return 0
