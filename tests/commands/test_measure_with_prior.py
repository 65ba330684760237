"""`bonescint measure --prior`: which scans are compared, and which are refused."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from commands.measuring import Measure, WriteScan, facts_of, rows_of
from commands.segmenting import files_in

if TYPE_CHECKING:
    from pathlib import Path


def years(given: WriteScan) -> list[Path]:
    """Two scans of one patient and one of another, in the order of their names."""
    return [
        given("archive/a/IM1.dcm", StudyDate="20230305", AcquisitionDate="20230305"),
        given("archive/b/IM1.dcm", brighter=1, StudyDate="20240305", AcquisitionDate="20240305"),
        given("archive/c/IM1.dcm", brighter=2, PatientID="0815", PatientName="Else^Somebody", StudyDate="20240306"),
    ]


def test_each_scan_of_a_folder_is_compared_with_the_latest_earlier_one_of_its_patient(
    measure: Measure, given: WriteScan, masks: Path, tmp_path: Path, out: Path
) -> None:
    years(given)
    shutil.copytree(masks / "archive", masks, dirs_exist_ok=True)
    table = tmp_path / "all.csv"
    archive = tmp_path / "archive"
    words = (archive, "--prior", archive, "--masks", masks, "--table", table)
    ended = measure(*words)
    assert ended.status == 0
    assert f"2 scans have no earlier scan in {archive}, and no comparison." in ended.out
    assert [name for name in files_in(out) if ".comparison." in name] == [
        "b/IM1.comparison.csv",
        "b/IM1.comparison.json",
    ]
    comparison = json.loads((out / "b" / "IM1.comparison.json").read_text(encoding="utf-8"))
    assert comparison["prior"]["source_sha256"] == facts_of(out / "a", "IM1")["source_sha256"]
    assert [lesion["change"] for lesion in comparison["lesions"]] == ["same"] * len(comparison["lesions"])
    rows = {row["name"]: row for row in rows_of(table)}
    assert rows["b/IM1"]["days_since_prior"] == "366"
    assert float(rows["b/IM1"]["bone_scan_index_change"]) == pytest.approx(0, abs=0.05)
    assert (rows["b/IM1"]["new_lesions"], rows["a/IM1"]["new_lesions"]) == ("0", "")
    # A comparison that is missing is made again, and nothing else is.
    before = table.read_bytes(), (out / "b" / "IM1.measures.json").read_bytes()
    (out / "b" / "IM1.comparison.json").unlink()
    assert measure(*words).out[-2] == "1 measured, 2 kept, 0 failed."
    assert (table.read_bytes(), (out / "b" / "IM1.measures.json").read_bytes()) == before
    assert (out / "b" / "IM1.comparison.json").exists()
    # A third scan of the patient makes a series.
    given("archive/d/IM1.dcm", brighter=3, StudyDate="20250305", AcquisitionDate="20250305")
    shutil.copytree(masks / "archive", masks, dirs_exist_ok=True)
    assert measure(*words).out[-2] == "1 measured, 3 kept, 0 failed."
    series = json.loads((out / "d" / "IM1.comparison.json").read_text(encoding="utf-8"))
    assert [scan["days_before"] for scan in series["follow_up"]["scans"]] == [731, 365, 0]
    assert series["prior"]["source_sha256"] == facts_of(out / "b", "IM1")["source_sha256"]
    assert {row["name"]: row["progression"] for row in rows_of(table)}["d/IM1"] == "none"
    assert measure(*words).out[-2] == "0 measured, 4 kept, 0 failed."


def test_a_prior_scan_of_another_patient_is_refused_unless_the_user_knows_better(
    measure: Measure, given: WriteScan, masks: Path, out: Path, tmp_path: Path
) -> None:
    old, _, other = years(given)
    shutil.copytree(masks / "archive" / "c", masks, dirs_exist_ok=True)
    shutil.copytree(masks / "archive" / "a", masks / "old")
    words = (other, "--prior", old, "--masks", masks)
    refused = measure(*words)
    assert refused.status == 1
    assert refused.err[-1].startswith(f"error: {other}: The files of the two scans name different patients; ")
    assert refused.err[-1].endswith("Option: --same-patient.")
    assert "IM1.measures.json" in files_in(out)
    assert not [name for name in files_in(out) if ".comparison." in name]
    assert measure(*words, "--same-patient").status == 0
    assert (out / "IM1.comparison.csv").exists()
    third = given("third.dcm", brighter=5)
    again = measure(other, "--prior", third, "--masks", masks, "--same-patient")
    assert again.status == 1
    assert "is a comparison with another prior scan than" in again.err[-1]
