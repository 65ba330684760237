"""`bonescint measure --report`: which reports are written, and what stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from commands.segmenting import files_in

if TYPE_CHECKING:
    from pathlib import Path

    from commands.measuring import Measure, WriteScan


def test_reports_are_written_and_a_foreign_file_in_their_place_stays(
    measure: Measure, given: WriteScan, masks: Path, out: Path
) -> None:
    scan = given()
    assert measure(scan, "--masks", masks).status == 0
    before = (out / "scan.measures.json").read_bytes()
    (out / "scan.report.html").write_text("my notes", encoding="utf-8")
    refused = measure(scan, "--masks", masks, "--report")
    assert refused.status == 1
    assert refused.err[-1].startswith(
        f"error: {out / 'scan.report.html'}: exists already and is no report of this scan"
    )
    (out / "scan.report.html").unlink()
    ended = measure(scan, "--masks", masks, "--report")
    assert (ended.status, ended.out[-2]) == (0, "1 measured, 0 kept, 0 failed.")
    assert (out / "scan.measures.json").read_bytes() == before
    reports = {"scan.report.pdf", "scan.report.html", "scan.report.dcm", "scan.sr.dcm", "scan.anterior.seg.dcm"}
    assert reports <= set(files_in(out))
    assert (out / "scan.report.pdf").read_bytes().startswith(b"%PDF")
    assert measure(scan, "--masks", masks, "--report").out[0] == f"{scan}: kept {out / 'scan.measures.json'}"
    # Hot spots that a report holds as DICOM SEG are no masks.
    ended = measure(scan, "--masks", out)
    assert f"{out} has no mask of this scan" in ended.err[0]


def test_a_report_without_the_identifiers_for_dicom_files_is_written_with_a_warning(
    measure: Measure, given: WriteScan, masks: Path, out: Path
) -> None:
    scan = given(StudyInstanceUID="")
    ended = measure(scan, "--masks", masks, "--report")
    assert (ended.status, ended.out[-2]) == (0, "1 measured, 0 kept, 0 failed.")
    (warning,) = [line for line in ended.err if "scan.dcm: has no StudyInstanceUID, so a DICOM" in line]
    assert warning.startswith(f"warning: {scan}: ")
    assert warning.endswith("The report has no files for an archive.")
    assert {"scan.report.pdf", "scan.report.html"} <= set(files_in(out))
    assert not [name for name in files_in(out) if name.endswith(".dcm")]
