"""Compare simulated scans with NEMA's NM1 scan in numbers, as a Markdown table.

    python benchmarks/nm1_likeness.py --geometry data/cases/skeleton.npz [--cases N] [--write docs/simulation.md]

Simulates N patients with as many counts in the anterior view as NM1. The default model segments all scans, NM1
included, so all are measured with masks of one kind. The table has each measure of NM1 beside the mean, the smallest
and the largest value of the simulated scans, for anterior views only, since NM1 has no other. `likeness.py` defines the
measures:

- quantiles of counts in the body over the body's median; pixels without a count;
- counts beside the body over the body's median;
- variance over mean in small patches of soft tissue and outside, and noise power in three bands: 1 for Poisson noise;
- each region over the soft tissue around it, and the unevenness of large regions;
- 10-90 % rise in mm across the femoral shafts and the skin of the thighs.

NM1 is one patient, so a good simulator has NM1 within its range, not at its mean.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from likeness import NM1_COUNTS, Look, count_anterior, read_nm1
from napari_bonescint.files.atomic import write_bytes_atomically
from napari_bonescint.inference.model_card import DEFAULT_MODEL
from napari_bonescint.inference.model_registry import find_model
from napari_bonescint.inference.segmenter import Segmenter
from napari_bonescint.simulation.case import simulate
from napari_bonescint.simulation.pose import load_skeleton

if TYPE_CHECKING:
    from napari_bonescint.scan import Scan

_MARKS = ("<!-- made by benchmarks/nm1_likeness.py -->", "<!-- end -->")


def measure(scan: Scan, segmenter: Segmenter) -> dict[str, float]:
    """All measures of the anterior view."""
    regions = segmenter.segment(scan).regions
    if regions is None or scan.spacing is None:
        raise ValueError("regions and a pixel spacing are needed")
    return Look(scan.counts[0].astype(float), regions[0], scan.spacing[0]).measures()


def table(real: dict[str, float], simulated: list[dict[str, float]], heading: str) -> str:
    """A Markdown table of all measures: NM1, mean and range of the simulated scans, and if NM1 is within the range."""
    lines = [heading, "", "| measure | NM1 | simulated: mean (least to greatest) | NM1 within |", "|---|--:|--:|:-:|"]
    for name, value in real.items():
        found = np.array([scan[name] for scan in simulated])
        found = found[np.isfinite(found)]
        spread, within = "not measurable", ""
        if found.size:
            spread = f"{found.mean():.3g} ({found.min():.3g} to {found.max():.3g})"
            within = "yes" if found.min() <= value <= found.max() else "**no**"
        lines.append(f"| {name} | {value:.3g} | {spread} | {within} |")
    return "\n".join(lines)


def put_between_marks(path: Path, text: str, marks: tuple[str, str] = _MARKS) -> None:
    """Replace the text between two marks in a file."""
    start, end = marks
    pattern = re.compile(f"{re.escape(start)}.*?{re.escape(end)}", re.DOTALL)
    page, found = pattern.subn(lambda _: f"{start}\n\n{text}\n\n{end}", path.read_text(encoding="utf-8"))
    if not found:
        sys.exit(f"{path}: has no line {start}, so the table has no place; add it and a line {end}.")
    write_bytes_atomically(path, page.encode())


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--geometry", type=Path, required=True, help="skeleton.npz from `bonescint simulate`")
    parser.add_argument("--cases", type=int, default=10, help="how many simulated patients (default 10)")
    parser.add_argument("--first", type=int, default=100, help="seed of the first (default 100)")
    parser.add_argument("--write", type=Path, help="also put the table between its marks in this file")
    options = parser.parse_args()

    card = find_model(DEFAULT_MODEL)
    segmenter = Segmenter(card, "cpu")
    real = measure(read_nm1(), segmenter)
    skeleton = load_skeleton(options.geometry)
    seeds = range(options.first, options.first + options.cases)
    simulated = [measure(count_anterior(simulate(skeleton, seed), seed, NM1_COUNTS), segmenter) for seed in seeds]
    heading = (
        f"Anterior views; {options.cases} simulated scans (seeds {seeds[0]} to {seeds[-1]}) of {NM1_COUNTS / 1e6:.1f} "
        f"million counts each; masks of all scans by {card.name}."
    )
    text = table(real, simulated, heading)
    print(text)
    if options.write:
        put_between_marks(options.write, text)


if __name__ == "__main__":
    main()
