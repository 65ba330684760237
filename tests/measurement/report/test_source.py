"""What is read of a study and a patient when a report is written."""

from __future__ import annotations

import pytest

from napari_bonescint.formats.safe_reading.refusal import Refusal
from napari_bonescint.measurement.report.source import (
    Patient,
    Study,
    is_dicom_source,
    read_patient,
    read_patient_of,
    read_study,
)
from reported import injected, without_files


def test_study_with_tracer_activity_and_time_after_injection(write_nm):
    # The file's text about the tracer names a person; only the known tracer is kept.
    study = read_study(write_nm(**injected()))
    assert study == Study("2024-03-05", "2024-03-05", "99mTechnetium HDP", 600.4, 195)


def test_a_file_that_states_little_gives_little(write_nm):
    study = read_study(write_nm(RadiopharmaceuticalInformationSequence=[], StudyDate=""))
    assert study == Study()


def test_a_patient_with_a_name_in_three_scripts(write_nm):
    name = "Yamada^Tarou=山田^太郎=やまだ^たろう"
    patient = read_patient(write_nm(SpecificCharacterSet="ISO_IR 192", PatientName=name))
    assert patient == Patient(("Yamada Tarou", "山田 太郎", "やまだ たろう"), "ID-4711", "1950-01-02")
    assert "Yamada" not in repr(patient)


def test_files_of_two_patients_are_refused(draw, write_nm):
    from dataclasses import replace

    drawn = draw()
    other = write_nm("other.dcm", PatientID="another")
    with pytest.raises(Refusal, match=r"^other\.dcm: The file names another patient"):
        read_patient_of(replace(drawn.scan, sources=(*drawn.scan.sources, other)))


def test_only_known_dicom_files_are_a_source(draw, tmp_path):
    drawn = draw()
    (tmp_path / "scan.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    assert is_dicom_source(drawn.scan)
    assert not is_dicom_source(without_files(drawn).scan)
    assert not is_dicom_source(drawn.scan, [tmp_path / "scan.png"])
