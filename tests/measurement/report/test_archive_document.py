"""The pages for an archive."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from pydicom import dcmread

from napari_bonescint.measurement.measures import RESEARCH_ONLY
from napari_bonescint.measurement.report.options import DicomDocument, ReportOptions
from napari_bonescint.measurement.report.writing import write_report
from reported import pages_of


def document(drawn, folder, form):
    options = ReportOptions(html=False, segmentation=False, structured_report=False, document=form)
    pdf, path = write_report(folder, "case", drawn.scan, drawn.regions, drawn.measured, options=options)
    return pdf, path


def test_an_encapsulated_pdf_holds_the_pages(draw, tmp_path):
    pdf, path = document(draw(2, 1), tmp_path / "out", DicomDocument.PDF)
    written = dcmread(path)
    assert written.SOPClassUID.name == "Encapsulated PDF Storage"
    held = written.EncapsulatedDocument[: written.EncapsulatedDocumentLength]
    assert held == pdf.read_bytes()
    assert RESEARCH_ONLY in pages_of(held)[0]
    assert written.SourceInstanceSequence[0].ReferencedSOPInstanceUID == dcmread(tmp_path / "scan.dcm").SOPInstanceUID


@pytest.mark.parametrize(
    ("spots", "kind", "frames"),
    [(0, "Secondary Capture Image Storage", 1), (36, "Multi-frame True Color Secondary Capture Image Storage", 2)],
)
def test_a_secondary_capture_shows_the_pages(spots, kind, frames, draw, tmp_path):
    _, path = document(draw(spots, 1), tmp_path / "out", DicomDocument.CAPTURE)
    written = dcmread(path)
    assert written.SOPClassUID.name == kind
    pixels = written.pixel_array.reshape(frames, written.Rows, written.Columns, 3).astype(int)
    assert (written.Rows, written.Columns) == (1754, 1241)  # A4 at 150 dots an inch
    for page in pixels:
        # White paper, dark text, and the red line about research software at the foot.
        assert (page.min(axis=2) > 250).mean() > 0.5
        foot = page[-120:]
        assert ((foot[..., 0] - foot[..., 1]) > 120).sum() > 500


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="needs dciodvfy (Debian package dicom3tools)")
@pytest.mark.parametrize(
    ("form", "spots"), [(DicomDocument.PDF, 2), (DicomDocument.CAPTURE, 0), (DicomDocument.CAPTURE, 36)]
)
def test_dciodvfy_finds_no_error(form, spots, draw, tmp_path):
    _, path = document(draw(spots, 1), tmp_path / "out", form)
    said = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, check=False).stderr
    assert "Error" not in said
    assert "EncapsulatedPDF" in said or "SC" in said
