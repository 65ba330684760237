"""The report on scores of views and regions."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from judged import BONE, bar_scan, threshold_model
from napari_bonescint.anatomy import CODES
from napari_bonescint.evaluation.reference_sets import Reference
from napari_bonescint.evaluation.report.score_report import ScoreReport
from napari_bonescint.evaluation.view_scores import segment_reference
from napari_bonescint.inference.segmenter import Segmenter

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def segmenter(tmp_path: Path) -> Segmenter:
    return Segmenter(threshold_model(tmp_path, "good", 0.7), "cpu")


def rows_of(report: ScoreReport) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(report.files()["scores.csv"].decode(), newline="")))


def test_a_region_that_is_missed_has_no_distance(segmenter: Segmenter) -> None:
    scan, regions = bar_scan(0)
    regions[0][regions[0] == BONE] = CODES["sternum"]
    report = ScoreReport()
    report.add("good", "bars", "drawn", segment_reference(segmenter, Reference(scan, regions, "scan 1", "patient 1")))
    found = {(row["view"], row["region"]): row for row in rows_of(report)}
    assert set(found) == {
        (view, region)
        for view, named in (("anterior", "sternum"), ("posterior", "thoracic_spine"))
        for region in ("skeleton", named)
    }
    missed = found["anterior", "sternum"]
    assert (float(missed["dice"]), missed["distance_mean_mm"], missed["distance_p95_mm"]) == (0, "", "")
    assert float(found["posterior", "thoracic_spine"]["distance_mean_mm"]) < 12
    assert (missed["scan"], missed["patient"], missed["model"], missed["set"]) == (
        "scan 1",
        "patient 1",
        "good",
        "bars",
    )


def test_without_a_pixel_spacing_there_are_no_distances(segmenter: Segmenter) -> None:
    scan, regions = bar_scan(0)
    report = ScoreReport()
    report.add("good", "bars", "drawn", segment_reference(segmenter, Reference(replace(scan, spacing=None), regions)))
    assert {row["distance_mean_mm"] for row in rows_of(report)} == {""}


def test_each_model_on_each_set_has_a_section(segmenter: Segmenter) -> None:
    scan, regions = bar_scan(0)
    segmented = segment_reference(segmenter, Reference(scan, regions, "scan 1", "patient 1"))
    report = ScoreReport()
    for model, name in (("good", "bars"), ("good", "others"), ("<b>", "bars")):
        report.add(model, name, "drawn", segmented)
    page = report.files()["report.html"].decode()
    for heading in ("good on bars", "good on others", "&lt;b&gt; on bars"):
        assert f"<h2>{heading}</h2>" in page
    assert page.count("data:image/jpeg;base64,") == 6
