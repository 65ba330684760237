"""One table over many scans."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from measured_scans import some_measures
from napari_bonescint.anatomy import REGIONS
from napari_bonescint.measurement.files import MeasuredMasks, MeasureFiles
from napari_bonescint.measurement.scan_table import (
    NOT_MEASURED,
    RecordedComparison,
    TableRow,
    read_comparison,
    scan_table,
)

if TYPE_CHECKING:
    from napari_bonescint.measurement.files import RecordedMeasures
    from napari_bonescint.scan import Scan


@pytest.fixture
def recorded(scan: Scan, tmp_path: Path) -> RecordedMeasures:
    files = MeasureFiles(tmp_path, "scan")
    source = replace(scan, sources=(Path("scan.dcm"),), source_sha256="ab12")
    files.write(source, some_measures(scan), MeasuredMasks((), "ef56"), seconds=0.5)
    found = files.recorded()
    assert found is not None
    return found


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def test_every_scan_has_a_row_with_its_index_hot_spots_and_ratios(recorded: RecordedMeasures) -> None:
    one, lost = rows(scan_table([TableRow("a/one", recorded), TableRow("=lost", None)]))
    assert (one["name"], one["views"]) == ("a/one", "anterior posterior")
    assert (one["bone_scan_index"], one["bone_scan_index_with_distal"]) == ("1.8324", "2")
    assert {name for name in one if name.startswith("bone_scan_index_")} == {
        "bone_scan_index_with_distal",
        *(f"bone_scan_index_{region.name}" for region in REGIONS[1:]),
    }
    assert (one["bone_scan_index_femur"], one["bone_scan_index_sacrum"], one["bone_scan_index_hand"]) == (
        "1.8324",
        "0",
        "",
    )
    assert (one["hot_spots"], one["suspicious_hot_spots"]) == ("2", "1")
    assert (one["bone_to_soft_tissue"], one["sacroiliac_to_sacrum_left"]) == ("3.45679", "")
    assert (one["area_mm2"], one["models"], one["warnings"]) == ("17820", "tiny hot-spots", "Dim.")
    assert {name: cell for name, cell in lost.items() if cell} == {"name": "'=lost", "warnings": NOT_MEASURED}
    assert "new_lesions" not in one


def test_a_scan_with_a_prior_one_has_its_changes(recorded: RecordedMeasures, tmp_path: Path) -> None:
    facts = {
        "source_sha256": "ab12",
        "prior": {"source_sha256": "cd34"},
        "days": 366,
        "bone_scan_index": {"name": "total", "change": 0.4},
        "lesions": [{"change": "new"}, {"change": "gone"}, {"change": "new"}],
        "not_comparable": ["Other tracer."],
    }
    path = tmp_path / "scan.comparison.json"
    assert read_comparison(path) is None
    path.write_text(json.dumps(facts), encoding="utf-8")
    comparison = read_comparison(path)
    assert isinstance(comparison, RecordedComparison)
    alone, compared = rows(scan_table([TableRow("one", recorded), TableRow("two", recorded, comparison)]))
    names = (
        "days_since_prior",
        "bone_scan_index_change",
        "new_lesions",
        "gone_lesions",
        "progression",
        "not_comparable",
    )
    assert [compared[name] for name in names] == ["366", "0.4", "2", "1", "", "Other tracer."]
    assert [alone[name] for name in names] == [""] * len(names)
    path.write_text('{"days": "many"}', encoding="utf-8")
    assert read_comparison(path) is None
