"""Whose scan a file is. What is read here stays in memory: it is hashed with a secret, never stored, never logged."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydicom.uid import NuclearMedicineImageStorage

from napari_bonescint.formats.dicom_header import is_encrypted, looks_like_dicom, read_header
from napari_bonescint.formats.source_file import quiet, read_start

if TYPE_CHECKING:
    from pathlib import Path

    from napari_bonescint.formats.dicom_header import Header

BURNED_IN = "The file says that text is burned into its pixels; whoever can open the store can read it."
PERHAPS_BURNED_IN = (
    "Whether a name is burned into the pixels of this picture cannot be told from the file; look before you share it."
)


@dataclass(frozen=True)
class Identity:
    """What tells patients and studies apart. Its `repr` shows neither.

    Attributes
    ----------
    patient : str or None
        Patient ID and who issued it; None if the file names no patient.
    study : str or None
        Study Instance UID; None if the file has none.
    """

    patient: str | None = field(default=None, repr=False)
    study: str | None = field(default=None, repr=False)


def read_identity(path: Path) -> Identity:
    """Read whose scan a file is; a picture says nothing.

    Raises
    ------
    Refusal
        If the file is missing or damaged.
    """
    header = _header(path)
    if header is None:
        return Identity()
    patient = header.text("PatientID")
    # The same number means another patient where another hospital issued it.
    issued = f"{header.text('IssuerOfPatientID')}\n{patient}" if patient else None
    return Identity(issued, header.text("StudyInstanceUID") or None)


def burned_in_text(path: Path) -> str | None:
    """A sentence if text is burned into the pixels, or may be; None if the file rules it out.

    Raises
    ------
    Refusal
        If the file is missing or damaged.
    """
    header = _header(path)
    if header is None:
        return PERHAPS_BURNED_IN
    stated = header.text("BurnedInAnnotation").upper()
    if stated == "YES":
        return BURNED_IN
    # A gamma camera's own image holds counts; a screen capture that is silent may hold anything.
    captured = header.text("SOPClassUID") != NuclearMedicineImageStorage
    return PERHAPS_BURNED_IN if captured and stated != "NO" else None


def _header(path: Path) -> Header | None:
    start = read_start(path)
    if not looks_like_dicom(start) and not is_encrypted(start):
        return None
    with quiet():
        return read_header(path)
