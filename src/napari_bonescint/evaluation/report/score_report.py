"""Report the scores of each view and region: a CSV file, and a page with tables, calibration and pictures."""

from __future__ import annotations

import csv
import io
import statistics
from dataclasses import dataclass, field
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any

from napari_bonescint.anatomy import CODES, LABEL_COLOURS, REGIONS
from napari_bonescint.evaluation.best_and_worst import Extremes
from napari_bonescint.evaluation.metrics import surface_distance
from napari_bonescint.evaluation.report.html_page import render
from napari_bonescint.evaluation.report.mask_pictures import LabelledMask, picture_of
from napari_bonescint.evaluation.report.reliability_diagram import reliability_svg
from napari_bonescint.evaluation.verdict import SKELETON
from napari_bonescint.scan import ViewName
from napari_bonescint.text.plain_output import table_cell

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from napari_bonescint.evaluation.metrics import SurfaceDistance
    from napari_bonescint.evaluation.view_scores import SegmentedReference, ViewScore

_COLUMNS = ("model", "set", "scan", "patient", "view", "region", "dice", "distance_mean_mm", "distance_p95_mm")
_LABELS = {SKELETON: SKELETON} | {region.name: region.label for region in REGIONS[1:]}
_OF_A_VIEW = ("views", "Dice", "mean mm", "95 % mm")
_CALIBRATION = "Bone"
_NONE = "–"


@dataclass(frozen=True)
class _Measured:
    """Scores of one region, or of the skeleton, in one view of a scan."""

    scan: str
    patient: str
    view: ViewName
    region: str
    dice: float
    distance: SurfaceDistance | None


@dataclass
class _Section:
    """Scores of one model on one set."""

    origin: str
    measured: list[_Measured] = field(default_factory=list)
    views: list[ViewScore] = field(default_factory=list)
    pictures: Extremes[SegmentedReference] = field(default_factory=Extremes)


class ScoreReport:
    """Collects the scores of segmented scans; keeps only the images of the best and the worst scan."""

    def __init__(self) -> None:
        self._sections: dict[tuple[str, str], _Section] = {}

    def add(self, model: str, name: str, origin: str, segmented: SegmentedReference) -> None:
        """Add a scan that `model` segmented, from the set with this name and origin."""
        section = self._sections.setdefault((model, name), _Section(origin))
        section.measured += _measure(segmented)
        section.views += segmented.views
        section.pictures.add(segmented, {"best": segmented.dice, "worst": -segmented.dice})

    def files(self) -> dict[str, bytes]:
        """The report's files: ``scores.csv`` and the self-contained ``report.html``."""
        return {"scores.csv": self._csv(), "report.html": self._page()}

    def _csv(self) -> bytes:
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerow(_COLUMNS)
        for (model, name), section in self._sections.items():
            for each in section.measured:
                mm = ["", ""] if each.distance is None else [f"{each.distance.mean:.3f}", f"{each.distance.p95:.3f}"]
                facts = map(table_cell, (model, name, each.scan, each.patient, each.view, each.region))
                writer.writerow([*facts, f"{each.dice:.5f}", *mm])
        return text.getvalue().encode()

    def _page(self) -> bytes:
        sections = [_facts(model, name, section) for (model, name), section in self._sections.items()]
        title = "Scores of models for the skeleton"
        return render("scores.html.jinja", title=title, sections=sections, colours=LABEL_COLOURS).encode()


def _measure(segmented: SegmentedReference) -> Iterator[_Measured]:
    reference, result = segmented.reference, segmented.result
    for i, score in enumerate(segmented.views):
        for name, dice in {SKELETON: score.skeleton, **score.regions}.items():
            if name == SKELETON or result.regions is None:
                mask, truth = result.skeleton[i] > 0, reference.regions[i] > 0
            else:
                mask, truth = result.regions[i] == CODES[name], reference.regions[i] == CODES[name]
            spacing = reference.scan.spacing
            distance = None if spacing is None else surface_distance(mask, truth, spacing)
            yield _Measured(score.scan, score.patient, score.view, name, dice, distance)


def _facts(model: str, name: str, section: _Section) -> dict[str, Any]:
    """The values that the page's template needs for one model on one set."""
    reliability = reduce(add, (view.reliability for view in section.views))
    scans, patients = ({getattr(each, what) for each in section.views} for what in ("scan", "patient"))
    shown = [view for view in ViewName if any(each.view is view for each in section.measured)]
    rows = []
    for region, label in _LABELS.items():
        of_region = [each for each in section.measured if each.region == region]
        if of_region:
            cells = (_cells([each for each in of_region if each.view is view]) for view in shown)
            rows.append([label, *(cell for group in cells for cell in group)])
    return {
        "title": f"{model} on {name}",
        "facts": f"{section.origin}. Scans: {len(scans)}, patients: {len(patients)}, views: {len(section.views)}. "
        f"ECE {reliability.expected_error:.4f}.",
        "groups": [("", 1), *((str(view), len(_OF_A_VIEW)) for view in shown)],
        "headings": ["region", *(len(shown) * _OF_A_VIEW)],
        "rows": rows,
        "diagram": reliability_svg({_CALIBRATION: reliability}),
        "pictures": [
            (_draw(model, each), f"The {criterion}: scan {each.reference.name}, Dice {each.dice:.3f}.")
            for criterion, each in section.pictures.found.items()
        ],
    }


def _cells(measured: list[_Measured]) -> list[str]:
    if not measured:
        return ["0", _NONE, _NONE, _NONE]
    distances = [each.distance for each in measured if each.distance is not None]
    return [
        str(len(measured)),
        f"{statistics.mean(each.dice for each in measured):.4f}",
        _millimetres(distance.mean for distance in distances),
        _millimetres(distance.p95 for distance in distances),
    ]


def _millimetres(values: Iterable[float]) -> str:
    there = list(values)
    return f"{statistics.mean(there):.2f}" if there else _NONE


def _draw(model: str, segmented: SegmentedReference) -> bytes:
    masks = [LabelledMask.of_truth(segmented.reference), LabelledMask.of_model(model, segmented.result)]
    return picture_of(segmented.reference.scan.counts, masks)
