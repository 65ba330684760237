"""Find the prior scans of each scan among many: the earlier ones of the same patient.

Patient and day are compared in memory, and are in no result, message or log.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from napari_bonescint.formats.dicom.header import is_encrypted, looks_like_dicom, read_header
from napari_bonescint.formats.dicom.identity import patient_number
from napari_bonescint.formats.safe_reading.refusal import Refusal
from napari_bonescint.formats.safe_reading.source_file import read_start

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from napari_bonescint.formats.dicom.header import Header
    from napari_bonescint.formats.opening import ScanSource

_DAYS = ("AcquisitionDate", "SeriesDate", "StudyDate", "ContentDate")


@dataclass(frozen=True)
class _Study:
    """Patient and day of a scan, None if unknown; `repr` shows neither."""

    number: str | None = field(default=None, repr=False)
    day: date | None = field(default=None, repr=False)


class PriorScans:
    """The scans among which prior ones are searched.

    Parameters
    ----------
    sources : sequence of ScanSource
        The scans.
    chosen : bool
        True if the user named one scan alone: it is the prior scan of every other.
    """

    def __init__(self, sources: Sequence[ScanSource], *, chosen: bool = False) -> None:
        self._chosen = sources[0] if chosen else None
        self._by_patient: dict[str, list[tuple[date, ScanSource]]] = defaultdict(list)
        self._by_place: dict[Path, ScanSource] = {}
        for source in () if chosen else sources:
            study = _read(source.paths)
            if study.number is not None and study.day is not None:
                self._by_patient[study.number].append((study.day, source))
            self._by_place[source.result] = source

    def of(self, source: ScanSource) -> tuple[ScanSource, ...]:
        """The prior scans: those of the same patient before that day, the oldest first.

        Where a file does not tell patient or day, such as a picture, it is the scan at the same place in its folder.
        """
        if self._chosen is not None:
            return () if _are_same(self._chosen, source) else (self._chosen,)
        study = _read(source.paths)
        if study.number is None or study.day is None:
            place = self._by_place.get(source.result)
            return () if place is None or _are_same(place, source) else (place,)
        earlier = [(day, each) for day, each in self._by_patient.get(study.number, ()) if day < study.day]
        return tuple(each for _, each in sorted(earlier, key=lambda pair: pair[0]))


def _are_same(one: ScanSource, other: ScanSource) -> bool:
    return {path.resolve() for path in one.paths} == {path.resolve() for path in other.paths}


def _read(paths: Iterable[Path]) -> _Study:
    """What the first file of a scan says; an unreadable file or a picture says nothing."""
    path = next(iter(paths))
    try:
        start = read_start(path)
        if looks_like_dicom(start) or is_encrypted(start):
            header = read_header(path)
            days = (_day(header, name) for name in _DAYS)
            return _Study(
                patient_number(header.text("PatientID")), next((day for day in days if day is not None), None)
            )
    except Refusal:
        pass
    return _Study()


def _day(header: Header, name: str) -> date | None:
    try:
        text = header.text(name).replace(".", "")[:8]
        return date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    except ValueError:
        return None
