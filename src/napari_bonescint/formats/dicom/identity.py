"""Whose scan a file is. What is read here stays in memory: it is hashed with a secret, never stored, never logged."""

from __future__ import annotations

import hmac
import re
import secrets
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydicom.uid import NuclearMedicineImageStorage

from napari_bonescint.formats.dicom.header import is_encrypted, looks_like_dicom, read_header
from napari_bonescint.formats.safe_reading.guarded import reader
from napari_bonescint.formats.safe_reading.source_file import read_start

if TYPE_CHECKING:
    from pathlib import Path

    from napari_bonescint.formats.dicom.header import Header

BURNED_IN = "The file says that text is burned into its pixels; whoever can open the store can read it."
PERHAPS_BURNED_IN = (
    "Whether a name is burned into the pixels of this picture cannot be told from the file; look before you share it."
)
# It ends with the process.
_SECRET = secrets.token_bytes(32)

_LEADING_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")
_FILLER = re.compile(r"0?|X+")
_NOBODY = {
    *("NONE", "NULL", "NA", "NAN", "NOID", "UNKNOWN", "UNKNOWNID", "UNKNOWNPATIENT", "NOTAVAILABLE", "PATIENT", "TEST"),
    *("ANON", "ANONYMOUS", "ANONYMIZED", "ANONYMISED", "ANONYM", "DEIDENTIFIED", "REMOVED", "PSEUDONYM", "PATIENTID"),
}


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

    @property
    def number(self) -> str | None:
        """The Patient ID in the form that all its spellings share, see `patient_number`; None if there is none."""
        return patient_number((self.patient or "").rpartition("\n")[2])


def study_token(uid: str) -> str:
    """A name for a study that this process alone can make, so that it tells nobody which study; nothing for none."""
    return hmac.digest(_SECRET, uid.encode(), "sha256").hex() if uid else ""


@reader
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


def patient_number(patient_id: str) -> str | None:
    """The form that all spellings of a Patient ID share.

    The rule: compatible characters are made alike (Unicode NFKC), letters become capitals, everything but letters and
    digits goes (blanks, dashes, padding), and so do the zeros that a number begins with. The issuer is not looked at:
    systems state it, leave it out and spell it in many ways. Two people of two hospitals whose numbers are alike are
    therefore kept together, which costs little; one person on both sides of a split would cost an honest verdict.

    Parameters
    ----------
    patient_id : str
        As in the file.

    Returns
    -------
    str or None
        None where it tells nobody apart: it is empty, zero, or what de-identification puts in its place.
    """
    plain = unicodedata.normalize("NFKC", patient_id).upper()
    letters = "".join(character for character in plain if character.isalnum())
    number = _LEADING_ZEROS.sub("", letters)
    return None if number in _NOBODY or _FILLER.fullmatch(number) else number


@reader
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
    return read_header(path)
