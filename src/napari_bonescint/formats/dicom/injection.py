"""Tracer, activity and time of the injection in a DICOM file."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from napari_bonescint.formats.dicom.terms import tracer

if TYPE_CHECKING:
    from napari_bonescint.formats.dicom.header import Header

_PLAUSIBLE_WAIT = timedelta(hours=24)
# From an infant's dose to twice an adult's, in MBq; a value outside is of another unit or a mistake.
_POSSIBLE_ACTIVITY = (10.0, 2000.0)
_FEWEST_BECQUERELS = 1e6


def tracer_of(header: Header) -> str:
    """Tracer by the texts and codes of a file, as a known abbreviation."""
    for item in header.items("RadiopharmaceuticalInformationSequence"):
        texts = [item.text("Radiopharmaceutical")]
        texts += [code.text("CodeMeaning") for code in item.items("RadiopharmaceuticalCodeSequence")]
        found = next((term for term in map(tracer, texts) if term), "")
        if found:
            return found
    return ""


def activity_mbq(header: Header) -> float | None:
    """Administered activity in MBq, the unit of NM files (PS3.3 C.8.4.10), if it is possible; some write becquerels."""
    for item in header.items("RadiopharmaceuticalInformationSequence"):
        stated = item.number("RadionuclideTotalDose")
        if stated is not None:
            activity = stated / 1e6 if stated >= _FEWEST_BECQUERELS else stated
            low, high = _POSSIBLE_ACTIVITY
            return activity if low <= activity <= high else None
    return None


def hours_after_injection(header: Header) -> float | None:
    """Hours from the injection to the acquisition, if the file states both and they are at most a day apart."""
    taken = _moment(header.text("AcquisitionDate") or header.text("SeriesDate"), header.text("AcquisitionTime"))
    for item in header.items("RadiopharmaceuticalInformationSequence"):
        stated = item.text("RadiopharmaceuticalStartDateTime")
        if taken is None:
            continue
        if stated:
            given = _moment(stated[:8], stated[8:])
        else:
            given = _moment(f"{taken:%Y%m%d}", item.text("RadiopharmaceuticalStartTime"))
            if given is not None and given > taken:
                given -= timedelta(days=1)
        if given is not None and timedelta(0) <= taken - given <= _PLAUSIBLE_WAIT:
            return (taken - given) / timedelta(hours=1)
    return None


def day_of(text: str) -> date | None:
    """A day from DICOM's form; None if it is none."""
    moment = _moment(text, "0000")
    return None if moment is None else moment.date()


def _moment(day: str, time: str) -> datetime | None:
    """A moment from DICOM's date and time, of which seconds and the rest are ignored; None if it is none."""
    digits = day.replace(".", "")[:8] + time.replace(":", "")[:4]
    if len(digits) != 12 or not digits.isascii() or not digits.isdigit():
        return None
    try:
        return datetime.strptime(digits, "%Y%m%d%H%M")
    except ValueError:
        return None
