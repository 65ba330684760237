"""Whose scan a file is, and whether its pixels may say so too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from pydicom.uid import SecondaryCaptureImageStorage

from napari_bonescint.formats.dicom.identity import (
    BURNED_IN,
    PERHAPS_BURNED_IN,
    Identity,
    burned_in_text,
    names_patient,
    patient_number,
    read_identity,
)
from napari_bonescint.formats.safe_reading.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    WriteScan = Callable[..., Path]


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    Image.fromarray(np.eye(40, dtype=np.uint8)).save(tmp_path / "scan.png")
    return tmp_path / "scan.png"


def test_patient_with_issuer_and_study(write_nm: WriteScan) -> None:
    path = write_nm(PatientID=" 4711 ", IssuerOfPatientID="North Clinic", StudyInstanceUID="1.2.3")
    assert read_identity(path) == Identity("North Clinic\n4711", "1.2.3")


def test_the_same_number_of_another_issuer_is_another_patient(write_nm: WriteScan) -> None:
    one = read_identity(write_nm("a.dcm", PatientID="7", IssuerOfPatientID="North"))
    other = read_identity(write_nm("b.dcm", PatientID="7", IssuerOfPatientID="South"))
    assert one.patient != other.patient


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("id-4711", "ID-4711"),
        ("0012345", "12345"),
        ("P0012", "P12"),
        (" 12 345 ", "12345"),
        ("12-34.5", "12345"),
        ("４７１１", "4711"),
    ],
)
def test_spellings_of_a_number_are_one(one: str, other: str) -> None:
    assert patient_number(one) == patient_number(other)
    assert Identity(f"North\n{one}").number == Identity(f"\n{other}").number == Identity(other).number


def test_numbers_that_differ_stay_apart() -> None:
    numbers = ["1200", "120", "12", "P12", "P120", "102", "ABC", "0X1"]
    assert len({patient_number(each) for each in numbers}) == len(numbers)


@pytest.mark.parametrize(
    "nobody", ["", "0", "000", "Anonymous", "anon.", "UNKNOWN", "n/a", "XXXXXX", "- -", "de-identified"]
)
def test_what_stands_in_place_of_a_number_tells_nobody_apart(nobody: str) -> None:
    assert patient_number(nobody) is None
    assert Identity(f"North\n{nobody}").number is None


def test_a_file_without_identity_has_none(write_nm: WriteScan, picture: Path) -> None:
    assert read_identity(write_nm(PatientID="", StudyInstanceUID="")) == Identity(None, None)
    assert read_identity(picture) == Identity(None, None)


def test_an_identity_is_not_shown_in_messages() -> None:
    assert repr(Identity("4711", "1.2.3")) == "Identity()"


@pytest.mark.parametrize(
    ("attributes", "sentence"),
    [
        ({}, None),
        ({"BurnedInAnnotation": "NO"}, None),
        ({"BurnedInAnnotation": "YES"}, BURNED_IN),
        ({"SOPClassUID": SecondaryCaptureImageStorage}, PERHAPS_BURNED_IN),
        ({"SOPClassUID": SecondaryCaptureImageStorage, "BurnedInAnnotation": "NO"}, None),
        ({"SOPClassUID": SecondaryCaptureImageStorage, "BurnedInAnnotation": "YES"}, BURNED_IN),
    ],
)
def test_text_in_the_pixels_is_warned_about(write_nm: WriteScan, attributes: dict, sentence: str | None) -> None:
    assert burned_in_text(write_nm(**attributes)) == sentence


def test_a_picture_may_hold_text(picture: Path) -> None:
    assert burned_in_text(picture) == PERHAPS_BURNED_IN


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"^none\.dcm: The file does not exist"):
        read_identity(tmp_path / "none.dcm")


@pytest.mark.parametrize(
    ("file", "patient"),
    [
        ("doe_jane.dcm", {"PatientName": "Doe^Jane"}),
        ("BONE_JANE.dcm", {"PatientName": "DOE^JANE"}),
        ("bone-mueller.dcm", {"PatientName": "Müller^Eva"}),
        ("bonemüller.dcm", {"PatientName": "Müller^Eva"}),
        ("Perez.dcm", {"PatientName": "Pérez^Ana"}),
        ("Li 3h.dcm", {"PatientName": "Li^Na"}),
        ("bone_0004711", {"PatientID": "4711"}),
        ("bone_47-11.dcm", {"PatientID": "00 4711"}),
        ("P12-wb.dcm", {"PatientID": "P012"}),
        ("old4711.dcm", {"OtherPatientIDs": ["1", "4711"]}),
    ],
)
def test_a_file_named_after_its_patient_is_known(write_nm: WriteScan, file: str, patient: dict[str, object]) -> None:
    assert names_patient(write_nm(file, **patient))
    plain = write_nm("wb_2024.dcm", **patient)
    assert not names_patient(plain)
    assert names_patient(plain, f"folder/{file}")


@pytest.mark.parametrize(
    ("file", "patient"),
    [
        ("alive.dcm", {"PatientName": "Li^Na"}),
        ("patient_1.dcm", {"PatientName": "Anonymous^Patient", "PatientID": "NONE"}),
        ("bone_120.dcm", {"PatientID": "12"}),
        ("bone.dcm", {"PatientName": "", "PatientID": ""}),
    ],
)
def test_other_names_are_no_ones(write_nm: WriteScan, file: str, patient: dict[str, object]) -> None:
    assert not names_patient(write_nm(file, **patient))


def test_a_picture_names_no_patient(picture: Path) -> None:
    assert not names_patient(picture)
