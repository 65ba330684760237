"""What the files of two scans say about patient, day and tracer: only whether and how much they differ is kept.

Names, identifiers, dates and times are compared while the files are read. They are in no result, message or log.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from napari_bonescint.formats.dicom.header import is_encrypted, looks_like_dicom, read_header
from napari_bonescint.formats.dicom.identity import names_of, patient_number
from napari_bonescint.formats.dicom.injection import day_of, hours_after_injection, tracer_of
from napari_bonescint.formats.safe_reading.guarded import refusing
from napari_bonescint.formats.safe_reading.refusal import Refusal
from napari_bonescint.formats.safe_reading.source_file import read_start

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from pathlib import Path

    from napari_bonescint.formats.dicom.header import Header

OTHER_PATIENT = (
    "The files of the two scans name different patients; compare them only if you know that they are of one patient."
)
SOURCE_UNREADABLE = "The file of one of the scans cannot be read any more, so patient, days and tracer are unknown."

_ENOUGH_NAMES = 2


class PatientMatch(StrEnum):
    """Whether two scans are of the same patient, by their files."""

    SAME = "same"
    OTHER = "other"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class TwoStudies:
    """Differences between the studies of a new and a prior scan.

    Attributes
    ----------
    patient : PatientMatch
        Same patient, another one, or unknown.
    days : int or None
        Days from the prior to the new scan; negative if the prior one is later.
    tracers : (str, str)
        Tracer of the new and of the prior scan, as a known abbreviation; empty if a file does not tell.
    hours : (float or None, float or None)
        Hours from injection to acquisition of the new and of the prior scan.
    unreadable : bool
        Whether a file that a scan was read from cannot be read any more.
    """

    patient: PatientMatch = PatientMatch.UNKNOWN
    days: int | None = None
    tracers: tuple[str, str] = ("", "")
    hours: tuple[float | None, float | None] = (None, None)
    unreadable: bool = False


@dataclass(frozen=True)
class _Study:
    """One study while two are compared; `repr` shows nothing of it."""

    number: str | None = field(default=None, repr=False)
    names: frozenset[str] = field(default=frozenset(), repr=False)
    born: date | None = field(default=None, repr=False)
    day: date | None = field(default=None, repr=False)
    tracer: str = field(default="", repr=False)
    hours: float | None = field(default=None, repr=False)
    unreadable: bool = field(default=False, repr=False)


def read_two_studies(new: Sequence[Path], old: Sequence[Path]) -> TwoStudies:
    """Compare what the files of a new and a prior scan say; a picture, or a file that is gone, says nothing."""
    mine, other = _read(new), _read(old)
    return TwoStudies(
        patient=_match(mine, other),
        days=None if mine.day is None or other.day is None else (mine.day - other.day).days,
        tracers=(mine.tracer, other.tracer),
        hours=(mine.hours, other.hours),
        unreadable=mine.unreadable or other.unreadable,
    )


def _read(paths: Sequence[Path]) -> _Study:
    """What the first file of a scan says: both views of a scan are of one study."""
    if not paths:
        return _Study()
    try:
        with refusing(paths[0]):
            start = read_start(paths[0])
            if not (looks_like_dicom(start) or is_encrypted(start)):
                return _Study()
            return _study(read_header(paths[0]))
    except Refusal:
        return _Study(unreadable=True)


def _study(header: Header) -> _Study:
    days = (day_of(header.text(said)) for said in ("AcquisitionDate", "SeriesDate", "StudyDate", "ContentDate"))
    return _Study(
        number=patient_number(header.text("PatientID")),
        names=names_of(header),
        born=day_of(header.text("PatientBirthDate")),
        day=next((day for day in days if day is not None), None),
        tracer=tracer_of(header),
        hours=hours_after_injection(header),
    )


def _match(mine: _Study, other: _Study) -> PatientMatch:
    """Compare by Patient ID, name and date of birth.

    Two hospitals give one patient different IDs, so the same name and date of birth are one patient. The same ID is not
    enough if the date of birth contradicts it, or the name while the date of birth is unknown; a surname may change.
    """
    number = None if None in (mine.number, other.number) else mine.number == other.number
    birth = None if None in (mine.born, other.born) else mine.born == other.born
    name = _same_name(mine.names, other.names)
    if name and birth:
        return PatientMatch.SAME
    if number:
        return PatientMatch.OTHER if birth is False or (birth is None and name is False) else PatientMatch.SAME
    if False in (number, birth, name):
        return PatientMatch.OTHER
    return PatientMatch.UNKNOWN


def _same_name(mine: frozenset[str], other: frozenset[str]) -> bool | None:
    """Whether two sets of names are of one person; None if one is empty, or only one of several names agrees."""
    common = len(mine & other)
    if not (mine and other):
        return None
    if mine == other or common >= _ENOUGH_NAMES:
        return True
    return None if common else False
