"""Measure the effect of cleaning masks on Dice, and the size of the smallest true pieces of bone.

    python benchmarks/crumbs_and_spurs.py --cases data/validation [--model NAME]

`--cases` is a folder with the validation split, from `bonescint simulate`.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from unittest.mock import patch

import numpy as np
from scipy import ndimage

from napari_bonescint.anatomy import REGIONS
from napari_bonescint.inference import segmenter as segmenting
from napari_bonescint.inference.cleaning import clean_regions, clean_skeleton
from napari_bonescint.inference.model_registry import DEFAULT_MODEL, find_model
from napari_bonescint.simulation.case import Case
from napari_bonescint.simulation.splits import case_path, read_splits


def dice(mask: np.ndarray, truth: np.ndarray) -> float:
    """Dice coefficient of two masks."""
    return 2 * float((mask & truth).sum()) / max(1, int(mask.sum() + truth.sum()))


def pieces(mask: np.ndarray, pixel_mm: float) -> np.ndarray:
    """Areas in mm^2 of the pieces of a mask (y, x)."""
    labelled, _ = ndimage.label(mask, np.ones((3, 3)))
    return np.bincount(labelled.ravel())[1:] * pixel_mm**2


def main() -> None:
    """Segment every case once, clean its masks, and print what changed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=Path, required=True)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    arguments = parser.parse_args()
    split = read_splits()["validation"]
    # The masks before cleaning are needed, too.
    with (
        patch.object(segmenting, "clean_regions", lambda codes, _spacing: codes),
        patch.object(segmenting, "clean_skeleton", lambda codes, _spacing: codes),
    ):
        segmenter = segmenting.Segmenter(find_model(arguments.model))
        changes, before, after, true, removed, wrong = [], [], [], [], 0, 0
        smallest: dict[str, float] = {}
        for seed in split.seeds:
            case = Case.load(case_path(arguments.cases, seed))
            result = segmenter.segment(split.scan(case, seed))
            masks = result.skeleton if result.regions is None else result.regions
            clean = clean_skeleton if result.regions is None else clean_regions
            for mask, truth in zip(masks, case.regions, strict=True):
                cleaned = clean(mask, (case.pixel_mm, case.pixel_mm))
                changes.append(dice(cleaned > 0, truth > 0) - dice(mask > 0, truth > 0))
                gone = (mask > 0) & (cleaned == 0)
                removed, wrong = removed + int(gone.sum()), wrong + int((gone & (truth > 0)).sum())
                for counts, codes in ((before, mask), (after, cleaned), (true, truth)):
                    counts.append(len(pieces(codes > 0, case.pixel_mm)))
                labelled, number = ndimage.label(truth > 0, np.ones((3, 3)))
                for piece in range(1, number + 1):
                    own = labelled == piece
                    name = REGIONS[int(np.bincount(truth[own]).argmax())].name
                    smallest[name] = min(smallest.get(name, np.inf), float(own.sum()) * case.pixel_mm**2)
    print(f"{arguments.model}, {len(changes)} views: Dice {np.mean(changes):+.5f}", end=" ")
    print(f"(least {min(changes):+.5f}, most {max(changes):+.5f})")
    print(f"pieces a view: {np.mean(before):.2f} before, {np.mean(after):.2f} after, {np.mean(true):.2f} in truth")
    print(f"{removed} pixels removed, {1 - wrong / max(1, removed):.0%} of them background in truth")
    print("smallest true piece, mm2:", {name: round(area) for name, area in sorted(smallest.items())})


if __name__ == "__main__":
    main()
