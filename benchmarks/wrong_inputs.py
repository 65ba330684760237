"""Count the warnings for inputs that are not bone scans, and the false warnings for bone scans.

    bonescint simulate --out data/doubted --first 900000 --count 216
    python benchmarks/wrong_inputs.py --cases data/doubted

The first cases (--subjects) give one wrong input of each kind in `wrong_kinds.py`. The others are correct scans with
both views, and every second one also an 8-bit picture of a viewer. With --external, the scans of a folder are checked,
too: its `index.csv` has the columns file, views (`anterior+posterior`) and spacing_mm.
"""

from __future__ import annotations

import argparse
import csv
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from napari_bonescint.formats.opening import open_scan
from napari_bonescint.inference.model_card import DEFAULT_MODEL
from napari_bonescint.inference.model_registry import find_model
from napari_bonescint.inference.segmenter import Segmenter
from napari_bonescint.scan import ViewName
from napari_bonescint.simulation.case import Case
from wrong_kinds import KINDS, SHAPE, Subject, either_view

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_bonescint.scan import Scan

    Labelled = tuple[str, str, Scan]
    """Row of the table, name of the input, and the input."""


def wrong_inputs(cases: list[Path]) -> Iterator[Labelled]:
    """One input of each kind for each case."""
    for path in cases:
        subject = _subject(path)
        for number, (kind, make) in enumerate(KINDS.items()):
            yield kind, path.stem, make(subject, np.random.default_rng((_seed(path), number)))


def simulated_scans(cases: list[Path]) -> Iterator[Labelled]:
    """Each case as a scan, and each second one also as a picture of one view."""
    for path in cases:
        subject = _subject(path)
        yield "simulated scans", path.stem, subject.scan
        if _seed(path) % 2 == 0:
            yield "simulated pictures", path.stem, either_view(subject, np.random.default_rng(_seed(path)))


def external_scans(folder: Path) -> Iterator[Labelled]:
    """The scans that a folder's index lists."""
    with (folder / "index.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            first = ViewName(row["views"].split("+")[0])
            spacing = float(row["spacing_mm"])
            is_dicom = row["file"].endswith(".dcm")
            given = {} if is_dicom else {"view": first, "spacing": (spacing, spacing)}
            yield f"external: {folder.name}", row["file"], open_scan(folder / row["file"], **given)


def main() -> None:
    """Segment everything and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=Path, required=True, help="folder of case_*.npz from `bonescint simulate`")
    parser.add_argument("--subjects", type=int, default=16, help="number of cases for wrong inputs (default: 16)")
    parser.add_argument("--external", type=Path, action="append", default=[], help="folder with index.csv; repeatable")
    parser.add_argument("--model", default=DEFAULT_MODEL, help="name, or a .safetensors file (default: %(default)s)")
    arguments = parser.parse_args()
    cases = sorted(arguments.cases.glob("case_*.npz"))
    usual = (path for path in cases if Case.load(path).regions.shape[1:] == SHAPE)
    wrong = list(islice(usual, arguments.subjects))
    right = [path for path in cases if path not in wrong]
    segmenter = Segmenter(find_model(arguments.model))
    print(f"Model {segmenter.card.name}. {segmenter.device.reason}.")
    print("\nInputs of the wrong kind")
    _print_table(segmenter, wrong_inputs(wrong), wanted=True)
    print("\nBone scans")
    _print_table(segmenter, simulated_scans(right), wanted=False)
    for folder in arguments.external:
        _print_table(segmenter, external_scans(folder), wanted=False)


def _print_table(segmenter: Segmenter, inputs: Iterator[Labelled], *, wanted: bool) -> None:
    warned: dict[str, list[bool]] = {}
    mistakes = []
    for row, name, scan in tqdm(inputs, leave=False, unit="input"):
        # A spacing is always given, so every warning concerns the content of the image.
        warnings = segmenter.segment(scan).warnings
        warned.setdefault(row, []).append(bool(warnings))
        if bool(warnings) is not wanted:
            mistakes.append(f"  {row}, {name}: {' '.join(warnings) or 'not warned about'}")
    rows = {**warned, "all": [one for many in warned.values() for one in many]} if len(warned) > 1 else warned
    for row, outcomes in rows.items():
        print(f"{row:24}{sum(outcomes):5} of {len(outcomes):4} warned about {np.mean(outcomes):7.1%}")
    for mistake in mistakes:
        print(mistake)


def _subject(path: Path) -> Subject:
    return Subject.of(Case.load(path), np.random.default_rng(_seed(path)))


def _seed(path: Path) -> int:
    return int(path.stem.removeprefix("case_"))


if __name__ == "__main__":
    main()
