"""Measure the Dice that models lose in half precision, and write it to their cards.

    python train/maintaining/halve.py
    python train/maintaining/halve.py --data data/validation --model runs/mine/mine.safetensors

Uses the simulated scans of the package, or those of --data. No GPU is needed: the CPU rounds to half precision after
each operation, as a GPU does. If Dice falls by less than 0.002, GPUs compute the model in float16 from then on. Run it
again for new weights, whose card has no such entry. With --precision bfloat16, it only measures.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from half_precision import measure_half
from napari_bonescint.commands import argument_types
from napari_bonescint.errors import BonescintError
from napari_bonescint.evaluation.reference_sets import simulated_sets
from napari_bonescint.evaluation.shipped_test_set import ShippedTest
from napari_bonescint.inference.backends.torch_gpu_engine import HALF
from napari_bonescint.inference.model_card import shipped_models
from napari_bonescint.training.loop.checkpoint import write_card

if TYPE_CHECKING:
    from napari_bonescint.evaluation.reference_sets import ReferenceSet


def main() -> int:
    """Measure the models, and print one line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, metavar="DIR", help="simulated cases (default: those of the package)")
    parser.add_argument("--model", type=argument_types.model, nargs="+", metavar="NAME|FILE", help="(default: all)")
    parser.add_argument("--precision", choices=("float16", "bfloat16"), default=HALF, help="(default: %(default)s)")
    arguments = parser.parse_args()
    judged: ReferenceSet = ShippedTest()
    try:
        if arguments.data is not None:
            (judged,) = simulated_sets([arguments.data])
        for card in arguments.model or shipped_models():
            measured = measure_half(card, judged, arguments.precision)
            if arguments.precision == HALF and card.path is not None:
                write_card(measured, card.path.parent)
            if (half := measured.half) is not None:
                lost = f"{half.precision} loses {half.dice_lost:+.5f} Dice on {half.scans} scans"
                print(f"{card.name}: {lost}, largest value {half.largest:g}", flush=True)
    except BonescintError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
