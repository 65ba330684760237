"""Read what a report says about patient and study from the scan's DICOM files, at the moment of writing.

A scan in memory holds neither identity nor dates, so they are read from its files only here, and never kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from napari_bonescint.errors import BonescintError
from napari_bonescint.formats.dicom.header import is_encrypted, looks_like_dicom, read_header
from napari_bonescint.formats.dicom.injection import activity_mbq, day_of, hours_after_injection, tracer_of
from napari_bonescint.formats.dicom.terms import radionuclide
from napari_bonescint.formats.opening import ScanSource
from napari_bonescint.formats.safe_reading.guarded import refusing
from napari_bonescint.formats.safe_reading.refusal import Refusal
from napari_bonescint.formats.safe_reading.source_file import read_start

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_bonescint.formats.dicom.header import Header
    from napari_bonescint.scan import Scan


class SourceChanged(BonescintError):
    """The file at the path of a scan is not the one that was opened."""


@dataclass(frozen=True)
class Study:
    """Facts about a study; empty or None if the file does not state them.

    Attributes
    ----------
    day, acquired : str
        Date of the study and of the acquisition, as ``2024-03-05``.
    tracer : str
        Radiopharmaceutical, such as ``99mTechnetium HDP``.
    activity_mbq : float or None
        Administered activity.
    minutes_after_injection : int or None
        Time from the injection to the acquisition.
    """

    day: str = ""
    acquired: str = ""
    tracer: str = ""
    activity_mbq: float | None = None
    minutes_after_injection: int | None = None


@dataclass(frozen=True)
class Patient:
    """Identity of the patient; `repr` shows nothing of it.

    Attributes
    ----------
    names : tuple of str
        The name in each script that the file gives: alphabetic, ideographic, phonetic.
    patient_id, birth_date : str
        Patient ID, and date as ``1950-01-02``; empty if the file does not state them.
    """

    names: tuple[str, ...] = field(default=(), repr=False)
    patient_id: str = field(default="", repr=False)
    birth_date: str = field(default="", repr=False)


def with_sources(scan: Scan, sources: Sequence[Path]) -> Scan:
    """The scan with other source files, if there are any, such as those of a case of a label store."""
    return replace(scan, sources=tuple(sources)) if sources else scan


def is_dicom_source(scan: Scan, sources: Sequence[Path] = ()) -> bool:
    """True if the files of a scan are known and are DICOM files; an unreadable file is a `Refusal`."""
    paths = with_sources(scan, sources).sources
    if not paths:
        return False
    starts = [read_start(path) for path in paths]
    return all(looks_like_dicom(start) or is_encrypted(start) for start in starts)


def require_unchanged(scan: Scan) -> None:
    """Raise `SourceChanged` if the scan's files are not those that it was read from; a missing file is a `Refusal`.

    Otherwise a report could name another patient.
    """
    if scan.source_sha256 and ScanSource(scan.sources, Path()).source_sha256() != scan.source_sha256:
        names = " + ".join(path.name for path in scan.sources)
        raise SourceChanged(f"{names}: is not the file that the scan was read from; open the scan again.")


def read_study(path: Path) -> Study:
    """Read the facts of a study from a DICOM file."""
    with refusing(path):
        header = read_header(path)
        hours = hours_after_injection(header)
        return Study(
            day=_iso_day(header.text("StudyDate")),
            acquired=_iso_day(header.text("AcquisitionDate")),
            tracer=_tracer(header),
            activity_mbq=activity_mbq(header),
            minutes_after_injection=None if hours is None else round(60 * hours),
        )


def read_patient(path: Path) -> Patient:
    """Read the identity of the patient from a DICOM file, for a page that a user exports."""
    with refusing(path):
        header = read_header(path)
        groups = header.text_or_name("PatientName").split("=")
        names = (" ".join(group.replace("^", " ").split()) for group in groups)
        return Patient(
            tuple(name for name in names if name),
            header.text("PatientID"),
            _iso_day(header.text("PatientBirthDate")),
        )


def read_patient_of(scan: Scan) -> Patient:
    """The identity in the first file of a scan; files of different patients are a `Refusal`."""
    found = {read_patient(path) for path in scan.sources}
    if len(found) > 1:
        raise Refusal(scan.sources[-1], "The file names another patient than the other file of the scan.")
    return found.pop()


def _tracer(header: Header) -> str:
    """Radionuclide and tracer as known terms only, because users type any text there."""
    codes = [
        code
        for item in header.items("RadiopharmaceuticalInformationSequence")
        for code in item.items("RadionuclideCodeSequence")
    ]
    nuclide = next(filter(None, (radionuclide(code.text("CodeMeaning")) for code in codes)), "")
    return " ".join(filter(None, (nuclide, tracer_of(header))))


def _iso_day(text: str) -> str:
    day = day_of(text)
    return "" if day is None else day.isoformat()
