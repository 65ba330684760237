"""Measure the time of each correction tool on a view of 1024 x 256 pixels; the limit is 50 ms.

    python benchmarks/tool_speed.py

The view is that of the simulated sample, with its true mask. Strokes are long: 500 pixels along the body's side, or
once around the trunk. The table has the median processor time of 15 runs, which other programs do not affect. Checks
after a correction are for one view; the comparison and its picture are for both.
"""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import numpy as np

import napari_bonescint
from napari_bonescint.anatomy import CODES
from napari_bonescint.corrections.checks import check
from napari_bonescint.corrections.comparison import compare, picture
from napari_bonescint.corrections.tools.draw_outline import draw_outline
from napari_bonescint.corrections.tools.lasso import relabel_within
from napari_bonescint.corrections.tools.mirror import midline, mirror_side
from napari_bonescint.corrections.tools.outline import fill_holes, grow, shrink, smooth
from napari_bonescint.corrections.tools.pieces import add_piece, connected_piece, remove_bone, remove_piece
from napari_bonescint.corrections.tools.rethreshold import rethreshold
from napari_bonescint.corrections.tools.smart_brush import smart_brush
from napari_bonescint.corrections.tools.trace_edge import trace_edge
from napari_bonescint.formats.masks.label_tiff import read_labels
from napari_bonescint.formats.opening import open_scan

RUNS = 15
LIMIT_MS = 50


def main() -> None:
    """Measure, and print a table."""
    samples = Path(napari_bonescint.__file__).parent / "samples"
    scan, masks = open_scan(samples / "simulated.dcm"), read_labels(samples / "simulated.regions.tif").masks
    regions, counts = masks[0], scan.counts[0]
    probability = np.where(regions > 0, 0.9, 0.1).astype(np.float32)
    ribs, femur = CODES["ribs"], CODES["femur"]
    way = np.linspace(0, 1, 500)[:, None]
    side = np.array([300, 100]) + way * [450, 40]
    around = np.array([350, 128]) + np.hstack([110 * np.sin(2 * np.pi * way), 60 * np.cos(2 * np.pi * way)])
    y, x = np.argwhere(regions == femur)[0].tolist()
    operations = {
        "smart brush": lambda: smart_brush(regions, counts, side, 5, femur),
        "trace edge": lambda: trace_edge(regions, side, femur),
        "draw outline": lambda: draw_outline(regions, around, ribs),
        "connected piece": lambda: connected_piece(regions, (y, x)),
        "remove piece": lambda: remove_piece(regions, (y, x)),
        "add piece": lambda: add_piece(np.zeros_like(regions), counts, probability, (y, x), femur),
        "remove bone": lambda: remove_bone(regions, ribs),
        "grow": lambda: grow(regions, ribs),
        "shrink": lambda: shrink(regions, ribs),
        "smooth": lambda: smooth(regions, ribs),
        "fill holes": lambda: fill_holes(regions, ribs),
        "relabel within": lambda: relabel_within(regions, around, ribs),
        "midline": lambda: midline(regions),
        "mirror side": lambda: mirror_side(regions, counts, "left"),
        "ask again": lambda: rethreshold(regions, probability, regions, (0, 0, *regions.shape), 0.4),
        "check": lambda: check(masks[:1], scan.counts[:1], scan.views[:1], scan.spacing),
        "compare": lambda: compare(masks, masks),
        "picture": lambda: picture(masks, masks, scan.counts),
    }
    print(f"{regions.shape[0]} x {regions.shape[1]} pixels\n\n| operation | ms |\n|---|--:|")
    for name, operation in operations.items():
        operation()
        taken = []
        for _ in range(RUNS):
            start = time.process_time()
            operation()
            taken.append(1000 * (time.process_time() - start))
        median = statistics.median(taken)
        print(f"| {name} | {median:.1f}{'' if median < LIMIT_MS else ' too slow'} |")


if __name__ == "__main__":
    main()
