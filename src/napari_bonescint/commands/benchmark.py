"""`bonescint benchmark`: how fast each engine computes each model on this computer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_bonescint.atomic import write_bytes_atomically
from napari_bonescint.commands import argument_types
from napari_bonescint.inference.model_card import shipped_models

if TYPE_CHECKING:
    import argparse

_SAMPLE = Path(__file__).parents[1] / "samples" / "simulated.dcm"

_DESCRIPTION = """\
Measure on the CPU how fast every engine computes a model, in how much memory, and how well it agrees with the network
computed naively. Each measurement runs in a process of its own, on the simulated sample scan: first on a grid of
1024 x 256, then on the model's own. Leave the computer alone meanwhile: on two cores all models that ship take three
quarters of an hour, and each a minute or two but for FDN-16. Where there is an NVIDIA card, it is measured, too: in
each precision, and against what its arithmetic can do.
"""


def add_to(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """State the arguments of `bonescint benchmark`."""
    parser = argument_types.add_command(
        subcommands,
        "benchmark",
        "measure how fast each engine is on this computer",
        _DESCRIPTION,
        "examples:\n  bonescint benchmark --model phase-u-net-regions\n  bonescint benchmark --out docs/speed.md",
    )
    parser.add_argument(
        "--model",
        metavar="NAME|FILE",
        nargs="+",
        type=argument_types.model,
        help="names that `bonescint models` lists, or .safetensors files (default: all that ship)",
    )
    parser.add_argument("--out", metavar="FILE", type=Path, help="also write the table to a Markdown file")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Measure, print the table and write it; the exit status."""
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
