"""Compare simulated pairs of scans between which lesions come, go, grow and shrink, and count the right names.

    python benchmarks/prior_pairs.py --geometry data/cases/skeleton.npz --cases data/pairs [--pairs 40] [--found]
        [--write docs/measuring.md]

Pose, camera, matrix, counts and artefacts differ between the scans of a pair. With the true masks and the true hot
spots, the table shows what the comparison alone does. With `--found`, the shipped models segment the scans and find the
hot spots, and the table shows what a user gets.

A lesion counts if it could be seen: its pixels raise the expected counts by 30 per cent or more, the peak by 50 per
cent, and the extra counts exceed five standard deviations. A hot spot shows a lesion if it covers a part of it. A
lesion that touches another one on the scan is left out of the shares, since both are one hot spot; so is one that no
hot spot shows where it should. A hot spot is a false "new" if the prior scan shows a lesion that it covers, or if it
covers none.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import ndimage

from napari_bonescint.errors import BonescintError
from napari_bonescint.inference.model_card import FINDING_HOT_SPOTS
from napari_bonescint.inference.model_registry import current_model
from napari_bonescint.inference.segmenter import Segmenter
from napari_bonescint.measurement.comparison.changes import Change, MeasuredScan
from napari_bonescint.measurement.comparison.comparing import compare
from napari_bonescint.measurement.detection.detector import HotSpotDetector
from napari_bonescint.measurement.measures import HotSpotVerdict, Measured
from napari_bonescint.measurement.measuring import measure, measure_regions, remeasure
from napari_bonescint.simulation.pathology import LesionKind
from napari_bonescint.text.formatting import markdown_table
from nm1_likeness import put_between_marks
from simulated_pairs import FIRST_SEED, Pair, load, seeds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_bonescint.measurement.comparison.changes import Comparison
    from napari_bonescint.scan import Scan
    from napari_bonescint.simulation.case import Case

Measurer = Callable[["Case", "Scan"], "Measurement"]

_LEAST_RATIO, _PEAK_RATIO, _DEVIATIONS = 0.3, 0.5, 5.0
_LEAST_MM2 = 60.0
_MARKS = ("<!-- begin of benchmarks/prior_pairs.py -->", "<!-- end of benchmarks/prior_pairs.py -->")
_HEADINGS = (
    *("masks and hot spots", "new, named so", "gone, named so", "larger or smaller, named so"),
    *("unchanged, named larger or smaller", "false *new* in a pair"),
)


class Truth(NamedTuple):
    """The visible metastases of a scan: their pixels (indices of the flattened image) by their number in the body."""

    pixels: dict[int, NDArray[np.int32]]
    shape: tuple[int, ...]

    def image(self) -> NDArray[np.bool_]:
        """All of them, as (view, y, x)."""
        found = np.zeros(self.shape, bool)
        for pixels in self.pixels.values():
            found.reshape(-1)[pixels] = True
        return found


class Measurement(NamedTuple):
    """A scan with its hot spots, and the metastases that each of them shows."""

    scan: MeasuredScan
    truth: Truth
    shown: dict[tuple[str, int], set[int]]


def visible(case: Case, scan: Scan) -> Truth:
    """The metastases of a case that could be seen with the counts of a scan."""
    counts = scan.counts.reshape(-1)
    found = {}
    for lesion in case.lesions:
        if lesion.kind is not LesionKind.METASTASIS:
            continue
        ratio = lesion.ratio.astype(float)
        hot = ratio >= _LEAST_RATIO
        pixels = lesion.pixels[hot]
        rest = counts[pixels] / (1 + ratio[hot])
        extra = float((rest * ratio[hot]).sum())
        large = len(pixels) * case.pixel_mm**2 >= _LEAST_MM2
        if large and ratio.max() >= _PEAK_RATIO and extra > _DEVIATIONS * np.sqrt(rest.sum()):
            found[lesion.number] = pixels
    return Truth(found, case.regions.shape)


def measure_truth(case: Case, scan: Scan) -> Measurement:
    """Measure a scan with the true masks and hot spots."""
    truth = visible(case, scan)
    labels = np.stack([ndimage.label(plane, np.ones((3, 3)))[0] for plane in truth.image()]).astype(np.uint16)
    labels[case.regions == 0] = 0
    return assess(scan, case.regions, labels, truth, all_suspicious=True)


def assess(
    scan: Scan, regions: NDArray[np.uint8], labels: NDArray[np.uint16], truth: Truth, *, all_suspicious: bool
) -> Measurement:
    """Measure given hot spots, and find the metastases that each shows."""
    numbers = {
        (view.name, int(n)) for view, plane in zip(scan.views, labels, strict=True) for n in np.unique(plane) if n
    }
    decided = dict.fromkeys(numbers, HotSpotVerdict(True)) if all_suspicious else None
    measures = remeasure(scan, regions, labels, decided)
    return match_truth(MeasuredScan(scan, regions, Measured(labels, measures)), truth)


def match_truth(scan: MeasuredScan, truth: Truth) -> Measurement:
    """Find the metastases that each hot spot shows."""
    labels = scan.measured.labels.reshape(-1)
    plane = scan.measured.labels[0].size
    shown: dict[tuple[str, int], set[int]] = {}
    for number, pixels in truth.pixels.items():
        for index in range(len(scan.scan.views)):
            own = labels[pixels[pixels // plane == index]]
            for spot in np.unique(own[own > 0]):
                shown.setdefault((scan.scan.views[index].name, int(spot)), set()).add(number)
    return Measurement(scan, truth, shown)


def found_by_models() -> dict[str, Measurer]:
    """Measure scans with the model in use for regions, and the one for hot spots, or thresholds if there is none."""
    segmenter = Segmenter(current_model())
    detector = None
    try:
        detector = HotSpotDetector(current_model(FINDING_HOT_SPOTS))
    except BonescintError as error:
        print(error)

    def found(case: Case, scan: Scan) -> Measurement:
        segmentation = segmenter.segment(scan)
        measured = measure(scan, segmentation, detector)
        regions = segmentation.skeleton if segmentation.regions is None else segmentation.regions
        return match_truth(MeasuredScan(scan, regions, measured), visible(case, scan))

    def found_in_true_masks(case: Case, scan: Scan) -> Measurement:
        measured = measure_regions(scan, case.regions, detector)
        return match_truth(MeasuredScan(scan, case.regions, measured), visible(case, scan))

    by = "thresholds" if detector is None else "the model in use"
    return {
        f"True masks, hot spots by {by}": found_in_true_masks,
        f"Masks by the model in use, hot spots by {by}": found,
    }


class Tally:
    """Counts over all pairs."""

    def __init__(self) -> None:
        self.named: Counter[tuple[str, str]] = Counter()
        self.false_new: list[int] = []
        self.false_gone: list[int] = []
        self.ratios: list[float] = []
        self.beside: list[Change] = []
        self.seconds: list[float] = []
        self.wrong: list[str] = []

    def add(self, pair: Pair, old: Measurement, new: Measurement, comparison: Comparison) -> None:
        """Add one pair."""
        false_new = false_gone = 0
        named: dict[int, set[str]] = {}
        for lesion in comparison.lesions:
            now = {n for key in lesion.new for n in new.shown.get(tuple(key), ())}
            before = {n for key in lesion.old for n in old.shown.get(tuple(key), ())}
            if lesion.change is Change.NEW and not any(n not in old.truth.pixels for n in now):
                false_new += 1
                self.wrong.append(f"{pair.seed}: false new {lesion.region} {now} {lesion.places}")
            if lesion.change is Change.GONE and not any(n not in new.truth.pixels for n in before):
                false_gone += 1
                self.wrong.append(f"{pair.seed}: false gone {lesion.region} {before} {lesion.places}")
            if lesion.new and lesion.old and not now | before:
                self.beside.append(lesion.change)
            for number in now | before:
                named.setdefault(number, set()).add(lesion.change.value)
            if lesion.area_ratio and now == before and len(now) == 1:
                number = next(iter(now))
                if self._course(pair, number) == "same":
                    self.ratios.append(lesion.area_ratio)
        alone_new, alone_old = _alone(new), _alone(old)
        for number in old.truth.pixels.keys() | new.truth.pixels.keys():
            true = self._true(pair, number, old, new)
            found = named.get(number, set())
            if number not in (alone_new if number in new.truth.pixels else alone_old):
                continue
            if not found:
                self.named[true, "not found"] += 1
                continue
            name = true if true in found else sorted(found)[0]
            self.named[true, name] += 1
            if name != true and true in ("new", "gone"):
                self.wrong.append(f"{pair.seed}: {true} lesion {number} named {found}")
        self.false_new.append(false_new)
        self.false_gone.append(false_gone)

    def _true(self, pair: Pair, number: int, old: Measurement, new: Measurement) -> str:
        if number not in old.truth.pixels:
            return "new"
        if number not in new.truth.pixels:
            return "gone"
        return self._course(pair, number)

    def _course(self, pair: Pair, number: int) -> str:
        return pair.course(number)

    def summary(self) -> list[str]:
        """Shares with their 95 % intervals, as a row of the table in the documentation."""
        changed = sum(change in (Change.LARGER, Change.SMALLER) for change in self.beside)
        wrong = sum(self.named["same", name] for name in ("larger", "smaller"))
        unchanged = self._of("same")[1] + len(self.beside)
        return [
            *(self._named_so(*true) for true in (("new",), ("gone",), ("larger", "smaller"))),
            share(wrong + changed, unchanged),
            f"{np.mean(self.false_new):.2f}, at most {max(self.false_new)}",
        ]

    def _named_so(self, *courses: str) -> str:
        right, found = map(sum, zip(*map(self._of, courses), strict=True))
        return f"{share(right, found)}, {sum(self.named[true, 'not found'] for true in courses)} not found"

    def _of(self, true: str) -> tuple[int, int]:
        """How many lesions with a course were named so, and how many were found."""
        return self.named[true, true], sum(self.named[true, change.value] for change in Change)

    def print(self) -> None:
        """Print the tables."""
        names = [change.value for change in Change]
        print("| true | lesions | " + " | ".join([*names, "not found"]) + " | share |")
        print("|---|--:|" + "--:|" * (len(names) + 2))
        for true in names[:-1]:
            row = [self.named[true, name] for name in [*names, "not found"]]
            found = sum(row[:-1])
            share = f"{self.named[true, true] / found:.3f}" if found else ""
            print(f"| {true} | {sum(row)} | " + " | ".join(map(str, row)) + f" | {share} |")
        factor = np.exp(np.abs(np.log(self.ratios))) if self.ratios else np.array([np.nan])
        print(f"\n{len(self.false_new)} pairs")
        print(f"places without a visible metastasis that both scans mark: {dict(Counter(map(str, self.beside)))}")
        print(f"false new a pair: {np.mean(self.false_new):.2f}, at most {max(self.false_new)}")
        print(f"pairs with more than one: {sum(n > 1 for n in self.false_new)}")
        print(f"false gone a pair: {np.mean(self.false_gone):.2f}, at most {max(self.false_gone)}")
        quantiles = np.quantile(factor, [0.5, 0.9, 0.95])
        print(
            "area of unchanged lesions differs by a factor of (50, 90, 95 %): "
            + ", ".join(f"{q:.2f}" for q in quantiles)
        )
        print(f"seconds a pair: median {np.median(self.seconds):.2f}, most {max(self.seconds):.2f}")


def share(right: int, of: int) -> str:
    """A share with its 95 % interval (Wilson)."""
    if not of:
        return "–"
    z, p = 1.96, right / of
    middle = (p + z * z / (2 * of)) / (1 + z * z / of)
    half = z * np.sqrt(p * (1 - p) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    return f"{right} of {of} ({100 * max(middle - half, 0):.0f} to {100 * min(middle + half, 1):.0f} %)"


def _alone(measurement: Measurement) -> set[int]:
    """The metastases that no hot spot shows together with another one."""
    shared = {n for numbers in measurement.shown.values() if len(numbers) > 1 for n in numbers}
    return measurement.truth.pixels.keys() - shared


def main(arguments: Sequence[str] | None = None) -> None:
    """Compare all pairs and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--geometry", type=Path, required=True, help="skeleton.npz from `bonescint simulate`")
    parser.add_argument(
        "--cases", type=Path, required=True, help="folder for the simulated cases; those in it are kept"
    )
    parser.add_argument("--pairs", type=int, default=40)
    parser.add_argument("--first", type=int, default=FIRST_SEED, help="seed of the first pair")
    parser.add_argument("--found", action="store_true", help="segment the scans and find the hot spots, too")
    parser.add_argument("--write", type=Path, help="also put the table of shares between its marks in this file")
    parser.add_argument("--verbose", action="store_true", help="print each lesion that was named wrongly")
    options = parser.parse_args(arguments)
    pairs = load(options.geometry, options.cases, seeds(options.pairs, options.first))
    measurers: dict[str, Measurer] = {"True masks and true hot spots": measure_truth}
    if options.found:
        measurers |= found_by_models()
    rows = []
    for name, measurer in measurers.items():
        tally = Tally()
        for pair in pairs:
            scans = pair.scans()
            old, new = (measurer(case, scan) for case, scan in zip((pair.old, pair.new), scans, strict=True))
            start = time.perf_counter()
            comparison = compare(new.scan, old.scan)
            tally.seconds.append(time.perf_counter() - start)
            tally.add(pair, old, new, comparison)
        print(f"\n## {name}\n")
        if options.verbose:
            print("\n".join(tally.wrong))
        tally.print()
        rows.append([name.lower(), *tally.summary()])
    text = f"{_about(len(pairs), found=options.found)}\n\n{markdown_table(_HEADINGS, rows)}"
    print(f"\n{text}")
    if options.write is not None:
        put_between_marks(options.write, text, _MARKS)


def _about(pairs: int, *, found: bool) -> str:
    by = ""
    if found:
        cards = (current_model(), current_model(FINDING_HOT_SPOTS))
        by = " Models: " + ", ".join(f"`{card.name}` {card.weights_sha256[:8]}" for card in cards) + "."
    return f"{pairs} pairs of simulated scans, between which pose, camera, counts and lesions change.{by}"


if __name__ == "__main__":
    main()
