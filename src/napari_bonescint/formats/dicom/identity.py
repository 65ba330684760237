"""Identity of the patient and study in a file. It is only hashed with a secret, never stored or logged."""

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

BURNED_IN = "The file states that text is burned into its pixels; anyone who can open the store can read it."
PERHAPS_BURNED_IN = "A name may be burned into the pixels of this picture; check it before you share it."
# A new secret for each process.
_SECRET = secrets.token_bytes(32)

_RUNS = re.compile(r"[^\W_]+")
_WORD_OR_NUMBER = re.compile(r"[^\W\d_]+|\d+")
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "æ": "ae"})
# Shorter names and numbers are searched among the words of a file name, not within them.
_FEWEST_WITHIN_A_WORD = 4
_LEADING_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")
_FILLER = re.compile(r"0?|X+")
_NOBODY = {
    *("NONE", "NULL", "NA", "NAN", "NOID", "UNKNOWN", "UNKNOWNID", "UNKNOWNPATIENT", "NOTAVAILABLE", "PATIENT", "TEST"),
    *("ANON", "ANONYMOUS", "ANONYMIZED", "ANONYMISED", "ANONYM", "DEIDENTIFIED", "REMOVED", "PSEUDONYM", "PATIENTID"),
}


@dataclass(frozen=True)
class Identity:
    """Patient (Patient ID after its issuer) and study (UID) of a file, None where it has none; `repr` shows neither."""

    patient: str | None = field(default=None, repr=False)
    study: str | None = field(default=None, repr=False)

    @property
    def number(self) -> str | None:
        """The Patient ID in the normal form of `patient_number`; None if there is none."""
        return patient_number((self.patient or "").rpartition("\n")[2])


def study_token(uid: str) -> str:
    """An identifier of a study that only this process can compute, so it cannot be traced back; empty for no UID."""
    return hmac.digest(_SECRET, uid.encode(), "sha256").hex() if uid else ""


@reader
def read_identity(path: Path) -> Identity:
    """Read the patient and study of a file; a picture has neither. A missing or damaged file is a `Refusal`."""
    header = _header(path)
    if header is None:
        return Identity()
    patient = header.text("PatientID")
    # Two hospitals may issue the same number to different patients.
    issued = f"{header.text('IssuerOfPatientID')}\n{patient}" if patient else None
    return Identity(issued, header.text("StudyInstanceUID") or None)


def patient_number(patient_id: str) -> str | None:
    """The normal form that all spellings of a Patient ID share; None if the text identifies nobody.

    Compatible characters are unified (Unicode NFKC), letters become capitals, and only letters and digits are kept,
    without leading zeros of numbers. Zero and placeholders of de-identification identify nobody. The issuer is ignored,
    since systems write it, omit it and spell it in many ways. So two people of two hospitals with the same number stay
    in one split, which costs little; one person in two splits would make an evaluation wrong.
    """
    plain = unicodedata.normalize("NFKC", patient_id).upper()
    letters = "".join(character for character in plain if character.isalnum())
    number = _LEADING_ZEROS.sub("", letters)
    return None if number in _NOBODY or _FILLER.fullmatch(number) else number


@reader
def names_patient(path: Path, text: str | None = None) -> bool:
    """True if a text contains the patient's name or ID as a file's header states them; false for a picture.

    Without a text, the name of the file is searched. Case, accents, punctuation and leading zeros make no difference.
    A missing or damaged file is a `Refusal`.
    """
    header = _header(path)
    if header is None:
        return False
    searched = path.name if text is None else text
    names = names_of(header)
    numbers = {patient_number(each) for said in ("PatientID", "OtherPatientIDs") for each in header.texts(said)}
    words = _words(searched)
    joined = ["".join(_RUNS.findall(spelling)) for spelling in _spellings(searched)]
    known = (each.casefold() for each in (*names, *numbers) if each and each.upper() not in _NOBODY)
    return any(
        each in words or (len(each) >= _FEWEST_WITHIN_A_WORD and any(each in text for text in joined))
        for each in known
        if len(each) > 1
    )


def names_of(header: Header) -> frozenset[str]:
    """The words of the patient's names, in lower case without accents; none for a placeholder."""
    said = (header.text_or_name(attribute) for attribute in ("PatientName", "OtherPatientNames"))
    return frozenset(word for text in said for word in _words(text) if word.upper() not in _NOBODY)


@reader
def burned_in_text(path: Path) -> str | None:
    """A warning if text is, or may be, burned into the pixels; None if the file excludes it.

    A missing or damaged file is a `Refusal`.
    """
    header = _header(path)
    if header is None:
        return PERHAPS_BURNED_IN
    stated = header.text("BurnedInAnnotation").upper()
    if stated == "YES":
        return BURNED_IN
    # A gamma camera's own image holds counts; a screen capture without a statement may hold anything.
    captured = header.text("SOPClassUID") != NuclearMedicineImageStorage
    return PERHAPS_BURNED_IN if captured and stated != "NO" else None


def _words(text: str) -> set[str]:
    """Words, numbers and runs of both in a text, in lower case without accents and leading zeros."""
    return {
        _LEADING_ZEROS.sub("", word)
        for spelling in _spellings(text)
        for pattern in (_RUNS, _WORD_OR_NUMBER)
        for word in pattern.findall(spelling)
    }


def _spellings(text: str) -> set[str]:
    """A text in lower case without accents, and with umlauts as two letters."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    decomposed = (unicodedata.normalize("NFKD", spelling) for spelling in (plain, plain.translate(_UMLAUTS)))
    return {"".join(each for each in spelling if not unicodedata.combining(each)) for spelling in decomposed}


def _header(path: Path) -> Header | None:
    start = read_start(path)
    return read_header(path) if looks_like_dicom(start) or is_encrypted(start) else None
