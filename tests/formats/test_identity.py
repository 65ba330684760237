"""Whose scan a file is, and whether its pixels may say so too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from pydicom.uid import SecondaryCaptureImageStorage

from napari_bonescint.formats.identity import BURNED_IN, PERHAPS_BURNED_IN, Identity, burned_in_text, read_identity
from napari_bonescint.formats.refusal import Refusal

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
