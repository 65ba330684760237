"""Measure the best possible Dice on a working grid: the true masks, resampled to the grid and back.

    python benchmarks/working_grid.py --data data/test

Even a perfect network loses the details that its grid cannot hold. For each pixel size, the true regions of every view
are averaged to shares of a coarse pixel, interpolated back as `Segmenter` does with probabilities, and decided. The
table has the mean and the lowest Dice of the skeleton over the views, the mean over regions, and that of the ribs, the
thinnest bones. The cost is the number of pixels, relative to the 2.2 mm of most cameras.
"""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path

import numpy as np

from napari_bonescint.anatomy import REGIONS
from napari_bonescint.evaluation.metrics import dice, region_dice
from napari_bonescint.evaluation.reference_sets import ExternalSet, ReferenceSet, simulated_sets
from napari_bonescint.inference.preprocessing import Grid

GRIDS_MM = (2.2, 2.6, 3.0, 3.6, 4.4, 6.0)


def through_grid(regions: np.ndarray, spacing: tuple[float, float], grid_mm: float) -> np.ndarray:
    """Region codes (y, x) after resampling to a grid of `grid_mm` and back."""
    grid = Grid((regions.shape[0], regions.shape[1]), spacing, grid_mm)
    one_hot = (regions == np.arange(len(REGIONS))[:, None, None]).astype(np.float32)
    shares = grid.refine(grid.coarsen(one_hot))
    return np.where(shares[0] <= 0.5, 1 + shares[1:].argmax(axis=0), 0)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, nargs="+", default=[], help="folders of `bonescint simulate`")
    parser.add_argument("--external", type=Path, nargs="+", default=[], help="folders of scans with reference masks")
    options = parser.parse_args()
    sets: list[ReferenceSet] = [*simulated_sets(options.data), *map(ExternalSet.read, options.external)]
    print("| grid (mm) | cost | skeleton | lowest | regions | ribs |\n|--:|--:|--:|--:|--:|--:|")
    for grid_mm in GRIDS_MM:
        skeleton, macro, ribs = [], [], []
        for references in sets:
            for scan, regions, *_ in references:
                for truth in regions:
                    if not truth.any():
                        continue
                    best = through_grid(truth, scan.spacing or (2.26, 2.26), grid_mm)
                    by_name = region_dice(best, truth)
                    skeleton.append(dice(best > 0, truth > 0))
                    macro.append(statistics.mean(by_name.values()))
                    ribs.append(by_name.get("ribs", 1.0))
        print(
            f"| {grid_mm:g} | {(2.2 / grid_mm) ** 2:.2f} | {statistics.mean(skeleton):.4f} | {min(skeleton):.4f} "
            f"| {statistics.mean(macro):.4f} | {statistics.mean(ribs):.4f} |"
        )


if __name__ == "__main__":
    main()
