"""Acquisition facts, and no identity among them."""

from __future__ import annotations

import subprocess
import sys
import warnings
from typing import TYPE_CHECKING

import pydicom
import pytest

from dicom_files import PEAK, SCATTER, save, some_counts
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.formats.dicom.identity import read_identity
from napari_bonescint.formats.dicom.nuclear_medicine import read_nuclear_medicine
from napari_bonescint.formats.safe_reading.refusal import NotAPlanarScan

if TYPE_CHECKING:
    from collections.abc import Callable


def test_acquisition_facts(write_nm):
    camera = {"Manufacturer": "GE MEDICAL SYSTEMS", "ManufacturerModelName": "Infinia"}
    scan = read_nuclear_medicine(write_nm(counts=some_counts(4), windows=(SCATTER, PEAK), **camera))
    assert scan.acquisition == {
        "image_type": "ORIGINAL\\PRIMARY\\WHOLE BODY\\EMISSION",
        "matrix": "64x32",
        "counts_accumulated": int(some_counts(4).sum()),
        "frame_duration_s": 875.624,
        "scan_velocity_mm_per_s": 2.5,
        "whole_body_technique": "1PS",
        "photopeak_window": "126-154 keV",
        "radionuclide": "99mTechnetium",
        "collimator_type": "PARA",
        "manufacturer": "GE",
        "model": "INFINIA",
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


FREE_TEXT = ("Manufacturer", "ManufacturerModelName", "ImageType", "WholeBodyTechnique")


def with_name_everywhere(ds: pydicom.Dataset, put: Callable[[pydicom.Dataset, str], None]) -> pydicom.Dataset:
    """Put a patient's name into every attribute that facts about the acquisition are read from."""
    for keyword in FREE_TEXT:
        put(ds, keyword)
    put(ds.DetectorInformationSequence[0], "CollimatorType")
    put(ds.EnergyWindowInformationSequence[0], "EnergyWindowName")
    put(ds.RadiopharmaceuticalInformationSequence[0].RadionuclideCodeSequence[0], "CodeMeaning")
    return ds


def as_text(ds: pydicom.Dataset, keyword: str) -> None:
    setattr(ds, keyword, ["ORIGINAL", "PRIMARY", "WHOLE BODY", "LEAKED"] if keyword == "ImageType" else "LEAKED")


def as_sequence(ds: pydicom.Dataset, keyword: str) -> None:
    nested = pydicom.Dataset()
    nested.PatientName = "LEAKED^PATIENT"
    ds[keyword] = pydicom.DataElement(keyword, "SQ", [nested])


def as_name(ds: pydicom.Dataset, keyword: str) -> None:
    ds[keyword] = pydicom.DataElement(keyword, "PN", "LEAKED^PATIENT")


@pytest.mark.parametrize("put", [as_text, as_sequence, as_name])
def test_a_name_in_whatever_attribute_reaches_neither_a_scan_nor_a_store(write_nm, tmp_path, put):
    path = write_nm()
    save(with_name_everywhere(pydicom.dcmread(path), put), path)
    assert path.read_bytes().count(b"LEAKED") == 7
    scan = read_nuclear_medicine(path)
    assert "LEAKED" not in repr((scan.acquisition, scan.warnings, scan.views))
    store = LabelStore.create(tmp_path / "store")
    store.add(scan, read_identity(path))
    kept = b"".join(file.read_bytes() for file in store.folder.rglob("*") if file.is_file())
    assert b"LEAKED" not in kept


def test_no_command_prints_what_identifies_a_patient_or_a_study(write_nm, tmp_path, capfd):
    path = write_nm()
    ds = pydicom.dcmread(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        odd = {
            "PatientID": "LEAKED" * 12,
            "PatientBirthDate": "LEAKED",
            "StudyDate": "LEAKED",
            "AccessionNumber": "LEAKED" * 9,
            "StudyInstanceUID": "1.LEAKED.2",
            "SeriesInstanceUID": "1.LEAKED.3",
        }
        for keyword, value in odd.items():
            setattr(ds, keyword, value)
        ds.save_as(path)
    code = "import sys; from napari_bonescint.cli import main; sys.exit(main(sys.argv[1:]))"
    for words in (
        ("store", "create", tmp_path / "labels"),
        ("store", "add", tmp_path / "labels", path),
        ("store", "list", tmp_path / "labels"),
        ("store", "import", tmp_path / "labels", path, "--source", path, "--annotator", "Ada"),
        ("store", "export", tmp_path / "labels", "--out", tmp_path / "out", "--format", "seg", "--source", path),
    ):
        subprocess.run([sys.executable, "-W", "always", "-c", code, *map(str, words)], check=False)
    told = capfd.readouterr()
    assert "1 added, 0 there already, 0 failed." in told.out
    assert "LEAKED" not in told.out + told.err


@pytest.mark.parametrize(
    ("attributes", "sentence"),
    [
        ({"Modality": "LEAKED"}, "Modality is none that DICOM defines; only nuclear medicine"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "LEAKED"]}, "Image Type is OTHER; only WHOLE BODY and STATIC"),
        ({"Modality": "CT"}, "Modality is CT; only nuclear medicine"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "TOMO"]}, "Image Type is TOMO; only WHOLE BODY and STATIC"),
    ],
)
def test_a_refusal_quotes_terms_of_the_standard_alone(write_nm, attributes, sentence):
    with pytest.raises(NotAPlanarScan, match=sentence):
        read_nuclear_medicine(write_nm(**attributes))
