"""Queries, and what archives answer: plain objects, whose `repr` shows no patient."""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Generic, TypeVar

from napari_bonescint.text.plain_output import one_line

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

T = TypeVar("T")

MOST_MATCHES = 500
"""Studies, series or images in one answer to a search."""
_MOST_TEXT = 200
_UID = re.compile(r"[0-9]+(\.[0-9]+)*")
_MOST_UID = 64
# A backslash separates values, and the others end a line or text.
_NOT_IN_A_QUERY = re.compile(r"[\\\x00-\x1f\x7f]")


def is_uid(text: str) -> bool:
    """True if a text is a unique identifier of DICOM: digits and dots, at most 64 characters."""
    return len(text) <= _MOST_UID and _UID.fullmatch(text) is not None


def plain(text: str) -> str:
    """A text of an archive as one harmless line of limited length."""
    line = one_line(" ".join(text.split()))
    return line if len(line) <= _MOST_TEXT else f"{line[:_MOST_TEXT]}..."


@dataclass(frozen=True, slots=True)
class Query:
    """A search for studies; empty fields match everything.

    Attributes
    ----------
    patient_id, accession : str
        Matched exactly; ``*`` and ``?`` are wildcards.
    patient_name : str
        The beginning of the name, as in ``Smith`` or ``Smith^Ann``.
    since, until : date or None
        First and last date of the study.
    modality : str
        A modality that the study contains, such as ``NM``.
    study_uid : str
        One study.
    """

    patient_id: str = field(default="", repr=False)
    patient_name: str = field(default="", repr=False)
    accession: str = field(default="", repr=False)
    since: date | None = None
    until: date | None = None
    modality: str = "NM"
    study_uid: str = ""

    def problem(self) -> str:
        """One sentence on what is wrong with the query; empty if it can be asked."""
        for text in (self.patient_id, self.patient_name, self.accession, self.modality):
            if _NOT_IN_A_QUERY.search(text) or len(text) > _MOST_TEXT:
                return "A text of the search is too long, or holds a backslash or a control character; remove it."
        if self.study_uid and not is_uid(self.study_uid):
            return "The identifier of the study has other characters than digits and dots; check it."
        if self.since and self.until and self.since > self.until:
            return "The first date of the search is later than the last one; change one of them."
        return ""

    def matching(self) -> dict[str, str]:
        """The attributes to match, by keyword, with DICOM's wildcards and ranges."""
        name = self.patient_name.strip()
        wanted = {
            "PatientID": self.patient_id.strip(),
            "PatientName": name if not name or "*" in name else f"{name}*",
            "AccessionNumber": self.accession.strip(),
            "ModalitiesInStudy": self.modality.strip().upper(),
            "StudyInstanceUID": self.study_uid,
            "StudyDate": _date_range(self.since, self.until),
        }
        return {keyword: value for keyword, value in wanted.items() if value}

    def fits(self, study: Study) -> bool:
        """True if a study has the texts of the query; for archives that were asked for more than it."""
        said = {"PatientID": study.patient_id, "PatientName": study.patient_name, "AccessionNumber": study.accession}
        wanted = self.matching()
        return all(_matches(text, wanted[keyword]) for keyword, text in said.items() if keyword in wanted)


def _matches(text: str, pattern: str) -> bool:
    """True if a text matches a pattern with ``*`` and ``?``, whatever the case of letters."""
    expression = fnmatch.translate(pattern.replace("[", "[[]").casefold())
    return re.fullmatch(expression, text.casefold()) is not None


def _date_range(since: date | None, until: date | None) -> str:
    first, last = (f"{day:%Y%m%d}" if day else "" for day in (since, until))
    if first == last:
        return first
    return f"{first}-{last}"


@dataclass(frozen=True, slots=True)
class Study:
    """A study in an archive; all texts are harmless lines, empty where the archive says nothing."""

    uid: str
    patient_id: str = field(repr=False)
    patient_name: str = field(repr=False)
    birth_date: str = field(repr=False)
    accession: str = field(repr=False)
    date: str
    time: str
    description: str = field(repr=False)
    modalities: tuple[str, ...]
    series: int | None
    instances: int | None


@dataclass(frozen=True, slots=True)
class Series:
    """A series of a study in an archive."""

    study_uid: str
    uid: str
    modality: str
    description: str = field(repr=False)
    number: int | None
    instances: int | None


@dataclass(frozen=True, slots=True)
class Instance:
    """An image or another object of a series in an archive."""

    study_uid: str
    series_uid: str
    uid: str
    sop_class: str
    number: int | None
    frames: int | None


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """The answer to a search.

    Attributes
    ----------
    items : tuple
        Studies, series or images.
    complete : bool
        False if the archive has more than `MOST_MATCHES`.
    left_out : int
        Number of answers that were no valid studies, series or images.
    """

    items: tuple[T, ...]
    complete: bool = True
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Received:
    """An object that came from an archive, as a file.

    Attributes
    ----------
    path : Path
    study_uid, series_uid, instance_uid, sop_class : str
        As the file states them.
    is_new : bool
        False if the same file was there already.
    """

    path: Path
    study_uid: str
    series_uid: str
    instance_uid: str
    sop_class: str
    is_new: bool = True


class Outcome(StrEnum):
    """What an archive did with an object that was sent to it."""

    STORED = "stored"
    PRESENT = "present"
    """It was there already, so nothing was sent."""
    REFUSED = "refused"
    """The archive answered that it does not keep it."""
    FAILED = "failed"
    """There was no answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an archive answered about one object.

    Attributes
    ----------
    instance_uid : str
    outcome : Outcome
    text : str
        The archive's answer as one sentence.
    confirmed : bool
        True if a search found the object in its study afterwards.
    """

    instance_uid: str
    outcome: Outcome
    text: str
    confirmed: bool = False

    @property
    def is_kept(self) -> bool:
        """True if the archive has the object."""
        return self.outcome in (Outcome.STORED, Outcome.PRESENT)
