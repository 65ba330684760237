"""Acquisition facts, and no identity among them."""

from __future__ import annotations

import pydicom

from dicom_files import PEAK, SCATTER, some_counts
from napari_bonescint.formats.nuclear_medicine import read_nuclear_medicine


def test_acquisition_facts(write_nm):
    scan = read_nuclear_medicine(write_nm(counts=some_counts(4), windows=(SCATTER, PEAK)))
    assert scan.acquisition == {
        "image_type": "ORIGINAL\\PRIMARY\\WHOLE BODY\\EMISSION",
        "matrix": "64x32",
        "counts_accumulated": int(some_counts(4).sum()),
        "frame_duration_s": 875.624,
        "scan_velocity_mm_per_s": 2.5,
        "whole_body_technique": "1PS",
        "photopeak_window": "126-154 keV",
        "photopeak_window_name": "Tc99m",
        "radionuclide": "99mTechnetium",
        "collimator_type": "PARA",
        "manufacturer": "Maker",
        "model": "Gamma 2",
    }
    assert {type(fact) for fact in scan.acquisition.values()} <= {str, int, float}


def test_no_identity_gets_into_a_scan(write_nm):
    path = write_nm()
    ds = pydicom.dcmread(path)
    scan = read_nuclear_medicine(path)
    told = repr((scan.acquisition, scan.warnings, scan.views))
    for keyword in ("PatientName", "PatientID", "PatientBirthDate", "InstitutionName", "StudyDate", "StudyInstanceUID"):
        assert str(ds[keyword].value) not in told


def test_acquisition_numbers_that_are_no_numbers_are_left_out(write_nm):
    path = write_nm(ScanVelocity="2.5")
    path.write_bytes(path.read_bytes().replace(b"\x18\x00\x00\x13DS\x04\x002.5 ", b"\x18\x00\x00\x13DS\x04\x00fast"))
    assert "scan_velocity_mm_per_s" not in read_nuclear_medicine(path).acquisition
