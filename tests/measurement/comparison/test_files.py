from __future__ import annotations

import csv
import json
from dataclasses import replace

import pytest

from napari_bonescint.formats.dicom.two_studies import TwoStudies
from napari_bonescint.measurement.comparison.comparing import compare
from napari_bonescint.measurement.comparison.files import ComparisonFiles
from napari_bonescint.measurement.comparison.follow_up import follow_up
from napari_bonescint.results import ResultError


def test_the_files_hold_the_comparison(pair, tmp_path):
    new, old = (replace(each.scan, source_sha256=name) for each, name in ((pair.new, "a" * 64), (pair.old, "b" * 64)))
    comparison = compare(pair.new, pair.old, TwoStudies(days=91))
    files = ComparisonFiles(tmp_path / "out", "scan")
    assert files.write(new, old, comparison) == (
        tmp_path / "out" / "scan.comparison.json",
        tmp_path / "out" / "scan.comparison.csv",
    )
    facts = json.loads(files.facts.read_text())
    assert facts["days"] == 91
    assert facts["patient"] == "unknown"
    assert facts["source_sha256"] == "a" * 64
    assert facts["prior"]["source_sha256"] == "b" * 64
    assert facts["bone_scan_index"]["change"] == pytest.approx(comparison.index.change)
    assert facts["bone_scan_index"]["within_noise"] is False
    assert {each["name"] for each in facts["by_region"]} >= {"skull", "femur"}
    assert set(facts["definitions"]) >= {"new", "gone", "larger", "smaller", "same", "unseen", "noise"}
    assert "follow_up" not in facts
    rows = list(csv.DictReader(files.table.read_text().splitlines()))
    assert [row["change"] for row in rows] == [lesion["change"] for lesion in facts["lesions"]]
    by_change = {row["change"]: row for row in rows}
    assert by_change["new"]["prior_hot_spots"] == ""
    assert by_change["gone"]["new_hot_spots"] == ""
    assert float(by_change["larger"]["area_ratio"]) > 1.6
    assert by_change["larger"]["new_hot_spots"].startswith("anterior ")
    # The same scan may be compared again, with another prior one and with several.
    files.write(new, new, comparison, follow_up(pair.new, [pair.old]))
    facts = json.loads(files.facts.read_text())
    assert [scan["new_lesions"] for scan in facts["follow_up"]["scans"]] == [None, 1]
    assert facts["follow_up"]["progression"] == "none"
    assert "Prostate Cancer Working Group 3" in facts["follow_up"]["definition"]


def test_files_of_another_scan_are_not_replaced(pair, tmp_path):
    comparison = compare(pair.new, pair.old)
    files = ComparisonFiles(tmp_path, "scan")
    files.write(replace(pair.new.scan, source_sha256="a" * 64), pair.old.scan, comparison)
    before = files.facts.read_bytes(), files.table.read_bytes()
    with pytest.raises(ResultError, match="compares another scan"):
        files.write(replace(pair.new.scan, source_sha256="c" * 64), pair.old.scan, comparison)
    assert (files.facts.read_bytes(), files.table.read_bytes()) == before
    files.facts.write_text("[]")
    with pytest.raises(ResultError, match="holds no comparison"):
        files.write(pair.new.scan, pair.old.scan, comparison)
