"""Calibrate models for eight-bit integers, and write the calibration and the lost Dice to their cards.

    python train/maintaining/quantise.py --cases data/training --data data/validation
    python train/maintaining/quantise.py --cases data/training --data data/validation --model runs/mine/mine.safetensors

Without --model, all shipped models are calibrated. Weights stay the same. If Dice falls by less than 0.002, the plugin
computes in eight-bit integers from then on, with OpenVINO. Run it again for new weights, whose card has no calibration.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from int8_calibration import calibrate
from napari_bonescint.commands import argument_types
from napari_bonescint.errors import BonescintError
from napari_bonescint.evaluation.reference_sets import SimulatedSet, simulated_sets
from napari_bonescint.inference.model_card import shipped_models
from napari_bonescint.training.loop.checkpoint import write_card


def main() -> int:
    """Calibrate the models, and print one line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=Path, required=True, metavar="DIR", help="simulated cases to calibrate on")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="other cases, to measure Dice on")
    parser.add_argument("--model", type=argument_types.model, nargs="+", metavar="NAME|FILE", help="(default: all)")
    parser.add_argument("--calibration-scans", type=int, default=8, metavar="N", help="of --cases (default: 8)")
    parser.add_argument("--scans", type=int, default=20, metavar="N", help="of --data (default: 20)")
    arguments = parser.parse_args()
    try:
        seen, judged = (
            first(folder, number)
            for folder, number in ((arguments.cases, arguments.calibration_scans), (arguments.data, arguments.scans))
        )
        for card in arguments.model or shipped_models():
            calibrated = calibrate(card, (reference.scan for reference in seen), judged)
            if calibrated.int8 is not None and card.path is not None:
                write_card(calibrated, card.path.parent)
                print(f"{card.name}: int8 loses {calibrated.int8.dice_lost:+.4f} Dice", flush=True)
    except BonescintError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def first(folder: Path, number: int) -> SimulatedSet:
    """The first cases of a folder."""
    (cases, *_) = simulated_sets([folder])
    return SimulatedSet(cases.split, cases.paths[:number])


if __name__ == "__main__":
    sys.exit(main())
