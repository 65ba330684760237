"""Make the simulated sample that ships with the plugin.

python train/make_sample.py --geometry data/training/skeleton.npz --seed 18
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from napari_bonescint.formats.masks.label_tiff import write_labels
from napari_bonescint.simulation.case import simulate
from napari_bonescint.simulation.geometry import BonePoints, load_model
from napari_bonescint.simulation.nuclear_medicine import write_nuclear_medicine
from napari_bonescint.simulation.pose import Skeleton

SAMPLES = Path(__file__).parents[1] / "src" / "napari_bonescint" / "samples"


def main() -> None:
    """Simulate one scan with 2 million counts, and write it with its true regions."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--geometry", type=Path, required=True, help="skeleton.npz from `bonescint simulate`")
    parser.add_argument("--seed", type=int, required=True, help="a seed outside the training split")
    parser.add_argument("--out", type=Path, default=SAMPLES, help="folder (default: the plugin's samples)")
    options = parser.parse_args()
    case = simulate(Skeleton(load_model(), BonePoints.load(options.geometry)), options.seed)
    scan = case.count(np.random.default_rng(options.seed), 2e6)
    options.out.mkdir(parents=True, exist_ok=True)
    write_nuclear_medicine(scan, options.out / "simulated.dcm")
    write_labels(options.out / "simulated.regions.tif", case.regions, scan.spacing)


if __name__ == "__main__":
    main()
