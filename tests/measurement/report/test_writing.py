"""Reports on disk: their files, what they say of the patient, and whose files they replace."""

from __future__ import annotations

import shutil
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.uid import generate_uid

from napari_bonescint.files.atomic import CannotWrite
from napari_bonescint.formats.dicom.source_views import SourceMissing
from napari_bonescint.formats.opening import collect, open_scan
from napari_bonescint.measurement.measures import RESEARCH_ONLY, Measured
from napari_bonescint.measurement.measuring import remeasure
from napari_bonescint.measurement.report.options import DicomDocument, ReportOptions
from napari_bonescint.measurement.report.source import SourceChanged
from napari_bonescint.measurement.report.writing import ReportError, write_report
from napari_bonescint.results import ResultError
from reported import Drawn, pages_of

PAGES = ReportOptions(segmentation=False, structured_report=False, document=None)
IDENTITY = (b"Secret", b"ID-4711", b"1950-01-02", b"19500102", b"Hidden")


def write(folder, drawn: Drawn, stem="case", **more):
    return write_report(folder, stem, drawn.scan, drawn.regions, drawn.measured, **more)


def test_all_files_of_a_dicom_scan_are_written_beside_each_other(draw, tmp_path):
    paths = write(tmp_path / "new" / "folder", draw())
    assert [path.name for path in paths] == [
        "case.report.pdf",
        "case.report.html",
        "case.anterior.seg.dcm",
        "case.posterior.seg.dcm",
        "case.sr.dcm",
        "case.report.dcm",
    ]
    assert sorted(path.name for path in (tmp_path / "new" / "folder").iterdir()) == sorted(path.name for path in paths)
    # An archive files them by their headers.
    for path in paths[2:]:
        written = dcmread(path)
        assert (str(written.PatientName), written.PatientID) == ("Secret^Person", "ID-4711")
        assert written.StudyInstanceUID == dcmread(tmp_path / "scan.dcm").StudyInstanceUID


def test_pages_name_the_patient_only_if_asked(draw, tmp_path):
    drawn = draw()
    pdf, html = write(tmp_path / "out", drawn, options=PAGES)
    text = " ".join(pages_of(pdf.read_bytes()))
    for content in (text.encode(), html.read_bytes(), pdf.read_bytes()):
        assert not [word for word in IDENTITY if word in content]
    pdf, html = write(tmp_path / "out", drawn, options=replace(PAGES, identity=True))
    for content in (" ".join(pages_of(pdf.read_bytes())), html.read_text("utf-8")):
        assert [word for word in ("Secret Person", "ID-4711", "1950-01-02", "Hidden") if word not in content] == [
            "Hidden"
        ]


def test_pages_inside_the_document_for_the_archive_follow_the_same_choice(draw, tmp_path):
    drawn = draw(1)
    options = ReportOptions(pdf=False, html=False, segmentation=False, structured_report=False)
    for identity, burned_in in ((False, "NO"), (True, "YES")):
        (path,) = write(tmp_path / "out", drawn, options=replace(options, identity=identity))
        written = dcmread(path)
        text = pages_of(written.EncapsulatedDocument)[0]
        assert ("Secret Person" in text, written.BurnedInAnnotation) == (identity, burned_in)


def test_a_picture_gives_pages_without_what_it_does_not_allow(draw, tmp_path):
    drawn = draw()
    grey = (drawn.scan.counts[0] * 2).clip(0, 255).astype(np.uint8)
    Image.fromarray(grey).save(tmp_path / "flat.png")
    scan = open_scan(tmp_path / "flat.png")
    regions, labels = drawn.regions[:1], drawn.measured.labels[:1]
    measured = Measured(labels, remeasure(scan, regions, labels))
    pdf, html = write_report(tmp_path, "flat", scan, regions, measured)
    text = " ".join(pages_of(pdf.read_bytes()))
    assert "pixels of unknown size" in text
    assert "Not measured: area mm2." in text
    assert RESEARCH_ONLY in html.read_text("utf-8")
    with pytest.raises(ReportError, match=r"^flat: no DICOM file of this scan is known"):
        write_report(tmp_path, "flat", scan, regions, measured, options=ReportOptions(identity=True))


def test_a_file_without_identifiers_gives_the_pages_alone_and_says_so(draw, tmp_path):
    drawn, left_out = draw(StudyInstanceUID=None), []
    names = [path.name for path in write(tmp_path / "out", drawn, on_left_out=left_out.append)]
    assert names == ["case.report.pdf", "case.report.html"]
    (sentence,) = left_out
    assert sentence.startswith("scan.dcm: has no StudyInstanceUID")
    assert sentence.endswith("The report has no files for an archive.")
    # A caller that is not told gets an error, as one does who wants no pages.
    with pytest.raises(SourceMissing):
        write(tmp_path / "b", drawn)
    with pytest.raises(SourceMissing):
        write(tmp_path / "b", drawn, options=ReportOptions(pdf=False, html=False), on_left_out=left_out.append)
    assert not (tmp_path / "b").exists()


def test_a_scan_without_hot_spots_has_no_segmentation(draw, tmp_path):
    names = [path.name for path in write(tmp_path / "out", draw(0, 0))]
    assert names == ["case.report.pdf", "case.report.html", "case.sr.dcm", "case.report.dcm"]
    assert "No hot spots." in pages_of((tmp_path / "out" / names[0]).read_bytes())[0]


def test_files_of_another_scan_stay_and_those_of_this_one_are_replaced(draw, tmp_path):
    drawn, other = draw(), draw(name="other.dcm", SOPInstanceUID=generate_uid())
    first = write(tmp_path / "out", drawn)
    for path in first:
        alone = tmp_path / f"with {path.name}"
        alone.mkdir()
        shutil.copy(path, alone)
        with pytest.raises(ResultError, match=rf"{path.name}: exists already and is no report of this scan"):
            write(alone, other)
        assert [each.read_bytes() for each in alone.iterdir()] == [path.read_bytes()]
    # The reader found that no hot spot of the posterior view is one.
    front = drawn.measured.labels * np.array([1, 0], np.uint16)[:, None, None]
    measured = Measured(front, remeasure(drawn.scan, drawn.regions, front))
    again = write(tmp_path / "out", replace(drawn, measured=measured))
    assert sorted(again) == sorted((tmp_path / "out").iterdir())
    assert set(first) - set(again) == {tmp_path / "out" / "case.posterior.seg.dcm"}
    (tmp_path / "out" / "case.sr.dcm").write_bytes(b"what was there")
    with pytest.raises(ResultError):
        write(tmp_path / "out", drawn)


def test_all_files_are_written_or_none(draw, tmp_path):
    drawn = draw()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "case.report.dcm").mkdir()
    with pytest.raises(CannotWrite, match="could not be written"):
        write(tmp_path / "out", drawn)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["case.report.dcm"]


def test_a_file_that_has_changed_cannot_name_another_patient(draw, write_nm, tmp_path):
    drawn = draw()
    write_nm("scan.dcm", PatientName="Somebody^Else")
    with pytest.raises(SourceChanged, match=r"^scan\.dcm: is not the file that the scan was read from"):
        write(tmp_path / "out", drawn, options=ReportOptions(identity=True))
    assert not (tmp_path / "out").exists()


def test_a_case_without_file_names_takes_those_that_are_given(draw, tmp_path):
    drawn = draw()
    bare = replace(drawn, scan=replace(drawn.scan, sources=()))
    assert [path.suffix for path in write(tmp_path / "a", bare, options=ReportOptions(html=False))] == [".pdf"]
    options = replace(PAGES, html=False, segmentation=True)
    given = write(tmp_path / "b", bare, sources=drawn.scan.sources, options=options)
    assert [path.name for path in given] == ["case.report.pdf", "case.anterior.seg.dcm", "case.posterior.seg.dcm"]


def test_a_scan_of_two_files_is_reported_as_one(draw, write_nm, tmp_path):
    from dicom_files import ANTERIOR, POSTERIOR

    drawn, study = draw(), generate_uid()
    paths = [
        write_nm(f"{i}.dcm", counts=drawn.scan.counts[i : i + 1], views=(view,), StudyInstanceUID=study)
        for i, view in enumerate((ANTERIOR, POSTERIOR))
    ]
    (source,) = collect(paths).sources
    two = replace(drawn, scan=source.open())
    written = write(tmp_path / "out", two, options=ReportOptions(document=DicomDocument.CAPTURE))
    report = dcmread(written[-2])
    evidence = report.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence
    referred = {item.ReferencedSOPInstanceUID for series in evidence for item in series.ReferencedSOPSequence}
    assert referred == {str(dcmread(path).SOPInstanceUID) for path in (*paths, *written[2:4])}
    pixels = dcmread(BytesIO(written[-1].read_bytes())).pixel_array
    assert pixels.shape[-1] == 3
