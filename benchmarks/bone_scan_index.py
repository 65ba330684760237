"""Measure how well the bone scan index agrees with the truth, and with itself in two scans of one patient.

    bonescint simulate --out data/lesions --split lesions
    python benchmarks/bone_scan_index.py --cases data/lesions --pairs data/pairs [--write docs/index-accuracy.md]

Accuracy: the scans of the split `lesions`, of which half have metastases. The true index is computed by the definition
from the true regions and the true hot spots: the pixels of which metastases raise the expected counts by 30 % and more.
It is compared with the index from found hot spots and the regions of a model, and with each of the two alone.

Repeated scans: pairs of scans of one simulated patient on one camera. Pose, organs, artefacts and counts differ; bones
and lesions are the same. The difference from true regions and true hot spots is what the definition itself loses, since
bones and lesions overlap in another way and urine covers other places. Pairs are simulated once and kept in `--pairs`,
with the geometry of `--cases`.

Hot spots come from the model in use, and from thresholds that need no network.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

import numpy as np

from napari_bonescint.anatomy import REGIONS
from napari_bonescint.errors import BonescintError
from napari_bonescint.files.atomic import make_folder, write_bytes_atomically
from napari_bonescint.inference.model_card import DEFAULT_MODEL, FINDING_HOT_SPOTS
from napari_bonescint.inference.model_registry import current_model, find_model
from napari_bonescint.inference.segmenter import Segmenter
from napari_bonescint.measurement.bone_scan_index import index_of_areas
from napari_bonescint.measurement.detection.detector import HotSpotDetector
from napari_bonescint.measurement.measuring import measure_regions
from napari_bonescint.measurement.scoring import LEAST_RATIO
from napari_bonescint.simulation import case as simulating
from napari_bonescint.simulation.camera import draw_camera
from napari_bonescint.simulation.case import Case
from napari_bonescint.simulation.pathology import Course, LesionKind
from napari_bonescint.simulation.pose import load_skeleton
from napari_bonescint.simulation.splits import LESION_SPLIT, case_path, read_splits
from napari_bonescint.text.formatting import markdown_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from napari_bonescint.measurement.measuring import Detector
    from napari_bonescint.scan import Scan, View
    from napari_bonescint.simulation.camera import Camera

FIRST_PAIR = 10_000
"""Seed of the first pair; no split in train/splits.toml has this body or the next ones."""
NOISE = 0.3
"""A change of the index below this number is noise."""
HIGHEST = 10.0
"""The index is meant to be accurate below this number."""
TRUE = "true"

_TOTAL_STREAM = 8
_RANGES = ((0, 1), (1, 3), (3, HIGHEST))


@dataclass
class Sources:
    """What finds hot spots, and what segments."""

    detectors: dict[str, Detector | None]
    segmenter: Segmenter
    model: str

    def indices(self, case: Case, scan: Scan) -> dict[tuple[str, str], float]:
        """The index by the sources of the hot spots and of the regions."""
        found = self.segmenter.segment(scan).regions
        if found is None:
            raise BonescintError(f"Model {self.model} names no regions; choose one that does.")
        indices = {}
        for name, regions in ((TRUE, case.regions), (self.model, found)):
            indices[TRUE, name] = index_of(true_hot_spots(case), regions, scan.views)
            for finder, detector in self.detectors.items():
                indices[finder, name] = measure_regions(scan, regions, detector).measures.index.total
        return indices


def true_hot_spots(case: Case) -> NDArray[np.bool_]:
    """The pixels (view, y, x) of which metastases raise the expected counts by `LEAST_RATIO` and more."""
    ratio = np.zeros(case.regions.size, np.float32)
    for lesion in case.lesions:
        if lesion.kind is LesionKind.METASTASIS:
            ratio[lesion.pixels] += lesion.ratio.astype(np.float32)
    return np.asarray((ratio >= LEAST_RATIO).reshape(case.regions.shape))


def index_of(hot: NDArray[np.bool_], regions: NDArray[np.uint8], views: Sequence[View]) -> float:
    """The index of hot pixels (view, y, x), without distal limbs."""
    areas = [
        np.stack(
            [np.bincount(codes[chosen], minlength=len(REGIONS)) for codes, chosen in zip(regions, mask, strict=True)]
        )
        for mask in (hot, np.ones_like(hot))
    ]
    return index_of_areas(*areas, views).total


def accuracy(sources: Sources, folder: Path) -> str:
    """Simulated scans against the truth, as a table."""
    split = read_splits()[LESION_SPLIT]
    measured = []
    for seed in split.seeds:
        case = Case.load(case_path(folder, seed))
        measured.append(sources.indices(case, split.scan(case, seed)))
    truth = np.array([each[TRUE, TRUE] for each in measured])
    low = truth < HIGHEST
    print(f"{len(truth)} scans, true index {truth.min():.2f} to {truth.max():.2f}", flush=True)
    rows = []
    for spots, regions in measured[0]:
        if (spots, regions) == (TRUE, TRUE):
            continue
        index = np.array([each[spots, regions] for each in measured])
        error = index - truth
        rows.append(
            [
                *(spots, regions, f"{np.corrcoef(index, truth)[0, 1]:.3f}", f"{np.abs(error[low]).mean():.2f}"),
                *(f"{error[low].mean():+.2f}", f"{error[low].std():.2f}", f"{np.abs(error[low]).max():.2f}"),
                f"{index[truth == 0].mean():.2f} ({index[truth == 0].max():.2f})",
            ]
        )
    headings = ["hot spots", "regions", "correlation", "mean absolute error", "mean error", "SD", "largest error"]
    about = (
        f"{len(truth)} scans of the split `{LESION_SPLIT}`, {np.count_nonzero(truth == 0)} of them without metastases. "
        f"The true index is {np.median(truth[truth > 0]):.2f} in the median of the others, and {truth.max():.2f} at "
        f"most. Errors are those of the {np.count_nonzero(low)} scans with a true index under {HIGHEST:g}."
    )
    return f"{about}\n\n{markdown_table([*headings, 'without metastases: mean (largest)'], rows)}"


def repeats(sources: Sources, pairs: Sequence[tuple[Case, Case]], seeds: Sequence[int]) -> str:
    """Pairs of scans of one patient, as a table."""
    low, high = np.log(read_splits()[LESION_SPLIT].total_counts)
    measured = []
    for seed, pair in zip(seeds, pairs, strict=True):
        rng = np.random.default_rng((seed, _TOTAL_STREAM))
        scans = [case.count(rng, float(np.exp(rng.uniform(low, high)))) for case in pair]
        measured.append([sources.indices(case, scan) for case, scan in zip(pair, scans, strict=True)])
    truth = np.array([[visit[TRUE, TRUE] for visit in pair] for pair in measured])
    ill = truth.any(axis=1)
    rows = []
    for key in measured[0][0]:
        index = np.array([[visit[key] for visit in pair] for pair in measured])
        apart = index[:, 1] - index[:, 0]
        within = np.abs(apart) <= NOISE
        by_range = [within[ill & (truth.mean(axis=1) >= a) & (truth.mean(axis=1) < b)] for a, b in _RANGES]
        rows.append(
            [
                *(*key, f"{within.mean():.0%}", f"{within[ill].mean():.0%}"),
                *(f"{part.mean():.0%} of {part.size}" if part.size else "" for part in by_range),
                *(f"{apart[ill].mean():+.2f}", f"{apart[ill].std():.2f}", f"{np.abs(apart).max():.2f}"),
            ]
        )
    headings = [
        *("hot spots", "regions", "all", "with metastases"),
        *(f"index {a:g} to {b:g}" for a, b in _RANGES),
        *("mean difference", "SD", "largest"),
    ]
    about = (
        f"{len(pairs)} pairs, {np.count_nonzero(~ill)} of them without metastases. Share of the pairs whose indices "
        f"differ by at most {NOISE}. Mean difference and SD are those of the pairs with metastases."
    )
    return f"{about}\n\n{markdown_table(headings, rows)}"


def load_pairs(geometry: Path, folder: Path, seeds: Sequence[int], workers: int) -> list[tuple[Case, Case]]:
    """Simulate pairs, or read those that the folder holds already."""
    make_folder(folder)
    with ProcessPoolExecutor(workers) as pool:
        list(pool.map(_make_pair, [(geometry, folder, seed) for seed in seeds]))
    first, second = ([Case.load(_pair_path(folder, seed, visit)) for seed in seeds] for visit in (1, 2))
    return list(zip(first, second, strict=True))


def _make_pair(job: tuple[Path, Path, int]) -> None:
    geometry, folder, seed = job
    if all(_pair_path(folder, seed, visit).exists() for visit in (1, 2)):
        return
    metastases = read_splits()[LESION_SPLIT].metastases_of(seed)
    cameras: list[Camera] = []

    def same_camera(rng: np.random.Generator, position: NDArray[np.float32]) -> Camera:
        """The first visit's camera, aimed at the patient of the day."""
        drawn = draw_camera(rng, position)
        cameras.append(drawn)
        camera, middle = cameras[0], drawn.left_mm + drawn.shape[1] * drawn.pixel_mm / 2
        return replace(camera, left_mm=middle - camera.shape[1] * camera.pixel_mm / 2, top_mm=drawn.top_mm)

    with patch.object(simulating, "draw_camera", same_camera):
        for visit in (1, 2):
            case = simulating.simulate(load_skeleton(geometry), seed, visit, metastases=metastases, course=Course())
            path = _pair_path(folder, seed, visit)
            make_folder(path.parent)
            case.save(path)


def _pair_path(folder: Path, seed: int, visit: int) -> Path:
    return case_path(folder / f"visit-{visit}", seed)


def _sources(model: str) -> Sources:
    detectors: dict[str, Detector | None] = {"thresholds": None}
    try:
        card = current_model(FINDING_HOT_SPOTS)
        detectors = {card.name: HotSpotDetector(card), **detectors}
    except BonescintError as error:
        print(error)
    return Sources(detectors, Segmenter(find_model(model)), model)


def _sections(arguments: argparse.Namespace) -> Iterator[str]:
    sources = _sources(arguments.model)
    yield f"## Against the truth\n\n{accuracy(sources, arguments.cases)}"
    if arguments.pairs is not None:
        seeds = range(FIRST_PAIR, FIRST_PAIR + arguments.count)
        pairs = load_pairs(arguments.cases / "skeleton.npz", arguments.pairs, seeds, arguments.workers)
        yield f"## Two scans of one patient\n\n{repeats(sources, pairs, seeds)}"


def main() -> None:
    """Measure, print the tables, and write them if that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=Path, required=True, help="folder of the split lesions")
    parser.add_argument("--pairs", type=Path, help="folder for pairs of scans; without it, they are left out")
    parser.add_argument("--count", type=int, default=80, help="number of pairs (default: %(default)s)")
    parser.add_argument("--model", default=DEFAULT_MODEL, help="model that segments (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=2, help="processes that simulate (default: %(default)s)")
    parser.add_argument("--write", type=Path, help="Markdown page to write")
    arguments = parser.parse_args()
    sections = []
    for section in _sections(arguments):
        print(section, flush=True)
        sections.append(section)
    if arguments.write is not None:
        text = "\n\n".join(["# Accuracy of the bone scan index", _INTRODUCTION, *sections])
        write_bytes_atomically(arguments.write, f"{text}\n".encode())


_INTRODUCTION = """\
Made by `benchmarks/bone_scan_index.py`, which says how the scans are simulated and what the true index is. Hot spots
and regions are *true*, or come from a model, or from thresholds. The index leaves out distal limbs. No patient's scan
is in these tables."""


if __name__ == "__main__":
    main()
