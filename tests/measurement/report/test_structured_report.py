"""The structured report, as highdicom, dcmtk and dicom3tools read it."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest
from pydicom import dcmread

from napari_bonescint.measurement.measures import RESEARCH_ONLY, Measured, Ratio
from napari_bonescint.measurement.report.options import ReportOptions
from napari_bonescint.measurement.report.writing import write_report

OPTIONS = ReportOptions(pdf=False, html=False, document=None)


def reported(drawn, folder):
    """Paths of segmentations and structured report."""
    return write_report(folder, "case", drawn.scan, drawn.regions, drawn.measured, options=OPTIONS)


def values(group, name, derivation=None):
    return [
        measurement.value
        for measurement in group.get_measurements()
        if measurement.name.meaning == name and (derivation is None or measurement.derivation.meaning == derivation)
    ]


def test_highdicom_reads_the_measures_of_each_hot_spot_on_its_segment(draw, tmp_path):
    from highdicom.seg import segread
    from highdicom.sr import srread

    drawn = draw(2, 1, by_reader=True)
    *segs, path = reported(drawn, tmp_path / "out")
    groups = srread(path).content.get_planar_roi_measurement_groups()
    assert [group.tracking_identifier for group in groups] == ["anterior 1", "anterior 2", "posterior 1", "posterior 2"]
    read = {segmentation.SOPInstanceUID: segmentation for segmentation in map(segread, segs)}
    for group, spot in zip(groups, drawn.measured.measures.hot_spots, strict=True):
        view = 0 if spot.view == "anterior" else 1
        inside = drawn.scan.counts[view][drawn.measured.labels[view] == spot.id]
        assert values(group, "Area") == [pytest.approx(9 * 2.4 * 2.2)]
        assert values(group, "Nuclear Medicine Projection Activity", "Mean") == [pytest.approx(inside.mean(), abs=1e-4)]
        assert values(group, "Nuclear Medicine Projection Activity", "Maximum") == [inside.max()]
        assert values(group, "Ratio", "Maximum") == [pytest.approx(spot.peak_ratio, abs=1e-4)]
        said = {item.name.value: item.value.value for item in group.get_qualitative_evaluations()}
        assert said["VERDICT"] == ("SUSPICIOUS" if spot.id == 1 else "NOT_SUSPICIOUS")
        assert said["SET_BY"] == "READER"
        site = group.finding_sites[0]
        assert (site.topographical_modifier, site.value.value) == (None, "113197003")
        assert site.laterality.meaning.lower() == spot.side
        referred = group.referenced_segmentation_frame[0].ReferencedSOPSequence[0]
        frame = read[referred.ReferencedSOPInstanceUID].pixel_array[int(referred.ReferencedFrameNumber) - 1]
        np.testing.assert_array_equal(frame > 0, drawn.measured.labels[view] == spot.id)


def test_the_whole_body_has_index_lesions_and_ratios(draw, tmp_path):
    from highdicom.sr import srread

    drawn = draw(2, 2)
    ratios = (Ratio("sacroiliac_to_sacrum_left", 1.25, "One over the other."), Ratio("absent", None, "", "No sacrum."))
    measures = replace(drawn.measured.measures, ratios=ratios)
    *_, path = reported(replace(drawn, measured=Measured(drawn.measured.labels, measures)), tmp_path / "out")
    (group,) = srread(path).content.get_image_measurement_groups()
    total = pytest.approx(measures.index.total, abs=1e-4)
    assert values(group, "Bone scan index without distal limbs") == [total]
    assert values(group, "Number of lesions") == [2]
    assert sum(values(group, "Part of a region in the bone scan index")) == total
    assert values(group, "Ratio of uptake: sacroiliac to sacrum left") == [1.25]
    names = {measurement.name.scheme_designator for measurement in group.get_measurements()}
    assert names == {"99BONESCINT", "SCT"}


def test_it_states_its_private_codes_evidence_models_and_that_it_is_research(draw, tmp_path):
    drawn = draw(2, 1, SpecificCharacterSet="ISO_IR 192", PatientName="Yamada^Tarou=山田^太郎")
    *segs, path = reported(drawn, tmp_path / "out")
    report = dcmread(path)
    assert str(report.PatientName) == "Yamada^Tarou=山田^太郎"
    (scheme,) = report.CodingSchemeIdentificationSequence
    assert (scheme.CodingSchemeDesignator, scheme.CodingSchemeName[:7]) == ("99BONESCINT", "Private")
    (study,) = report.CurrentRequestedProcedureEvidenceSequence
    evidence = {
        item.ReferencedSOPInstanceUID for each in study.ReferencedSeriesSequence for item in each.ReferencedSOPSequence
    }
    assert evidence == {dcmread(each).SOPInstanceUID for each in (*segs, drawn.scan.sources[0])}
    comments = [item.TextValue for item in report.ContentSequence if item.ValueType == "TEXT"]
    assert RESEARCH_ONLY in comments
    assert f"Source SHA-256 {drawn.scan.source_sha256}" in comments
    models = [item.TextValue for item in _walk(report) if item.ValueType == "TEXT"]
    assert f"some-bones: weights SHA-256 {'ab' * 32}" in models
    assert "research software" in report.SeriesDescription
    assert (report.VerificationFlag, report.PreliminaryFlag) == ("UNVERIFIED", "PRELIMINARY")


def _walk(item):
    for child in item.get("ContentSequence", ()):
        yield child
        yield from _walk(child)


def test_counts_are_left_out_where_pixels_are_none(draw, tmp_path):
    from highdicom.sr import srread

    drawn = draw(1, 1)
    measures = replace(drawn.measured.measures, absent={"counts": "These are no counts."})
    *_, path = reported(replace(drawn, measured=Measured(drawn.measured.labels, measures)), tmp_path / "out")
    for group in srread(path).content.get_planar_roi_measurement_groups():
        assert values(group, "Nuclear Medicine Projection Activity") == []
        assert len(values(group, "Ratio")) == 2


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="needs dciodvfy (Debian package dicom3tools)")
@pytest.mark.parametrize("spots", [0, 2])
def test_dciodvfy_finds_no_error(spots, draw, tmp_path):
    for path in reported(draw(spots, 1), tmp_path / "out"):
        said = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, check=False).stderr
        assert ("ComprehensiveSR" if path.name == "case.sr.dcm" else "Segmentation") in said
        assert "Error" not in said


@pytest.mark.skipif(shutil.which("dsrdump") is None, reason="needs dsrdump (Debian package dcmtk)")
def test_dsrdump_reads_it(draw, tmp_path):
    *_, path = reported(draw(2, 1), tmp_path / "out")
    done = subprocess.run(["dsrdump", str(path)], capture_output=True, text=True, check=True)
    assert "W: Both" not in done.stderr
    assert done.stdout.startswith("Comprehensive SR Document")
    assert 'contains NUM:(,,"Number of lesions")="1' in done.stdout
    assert done.stdout.count('(,,"Referenced Segmentation Frame")=(SG image') == 4
