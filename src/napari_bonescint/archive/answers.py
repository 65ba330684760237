"""Make records of what archives answer: invalid answers are left out, and texts become harmless lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from napari_bonescint.archive.records import MOST_MATCHES, Found, Instance, Series, Study, is_uid, plain
from napari_bonescint.formats.dicom.header import Header

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pydicom.dataset import Dataset

T = TypeVar("T")

STUDY_FIELDS = (
    *("StudyInstanceUID", "PatientID", "PatientName", "PatientBirthDate", "AccessionNumber", "StudyDate", "StudyTime"),
    *("StudyDescription", "ModalitiesInStudy", "NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances"),
)
SERIES_FIELDS = (
    *("StudyInstanceUID", "SeriesInstanceUID", "Modality", "SeriesDescription", "SeriesNumber"),
    "NumberOfSeriesRelatedInstances",
)
INSTANCE_FIELDS = (
    *("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID", "InstanceNumber", "NumberOfFrames"),
)
"""Attributes to ask for; `matching` of a query gives those to match."""


def found(answers: Iterable[Dataset], read: Callable[[Header], T | None]) -> Found[T]:
    """Records of at most `MOST_MATCHES` answers, one for each."""
    items: dict[T, None] = {}
    left_out = 0
    for number, answer in enumerate(answers):
        if number == MOST_MATCHES:
            return Found(tuple(items), complete=False, left_out=left_out)
        item = read(Header(answer))
        if item is None:
            left_out += 1
        else:
            items[item] = None
    return Found(tuple(items), left_out=left_out)


def newest_first(studies: Found[Study]) -> Found[Study]:
    """The studies by date and time."""
    items = sorted(studies.items, key=lambda study: (study.date, study.time), reverse=True)
    return Found(tuple(items), studies.complete, studies.left_out)


def read_study(header: Header) -> Study | None:
    """A study; None without a valid identifier."""
    uid = header.text("StudyInstanceUID")
    if not is_uid(uid):
        return None
    return Study(
        uid=uid,
        patient_id=plain(header.text("PatientID")),
        patient_name=plain(header.text_or_name("PatientName")),
        birth_date=plain(header.text("PatientBirthDate")),
        accession=plain(header.text("AccessionNumber")),
        date=plain(header.text("StudyDate")),
        time=plain(header.text("StudyTime")),
        description=plain(header.text("StudyDescription")),
        modalities=tuple(plain(text) for text in header.texts("ModalitiesInStudy"))[:20],
        series=header.integer("NumberOfStudyRelatedSeries"),
        instances=header.integer("NumberOfStudyRelatedInstances"),
    )


def series_reader(study_uid: str) -> Callable[[Header], Series | None]:
    """Makes a series of an answer; None without a valid identifier, or of another study."""

    def read(header: Header) -> Series | None:
        uid = header.text("SeriesInstanceUID")
        if not is_uid(uid) or header.text("StudyInstanceUID") not in ("", study_uid):
            return None
        return Series(
            study_uid=study_uid,
            uid=uid,
            modality=plain(header.text("Modality")).upper(),
            description=plain(header.text("SeriesDescription")),
            number=header.integer("SeriesNumber"),
            instances=header.integer("NumberOfSeriesRelatedInstances"),
        )

    return read


def instance_reader(study_uid: str, series_uid: str) -> Callable[[Header], Instance | None]:
    """Makes an instance of an answer; None without a valid identifier, or of another series."""

    def read(header: Header) -> Instance | None:
        uid = header.text("SOPInstanceUID")
        others = header.text("StudyInstanceUID"), header.text("SeriesInstanceUID")
        if not is_uid(uid) or others[0] not in ("", study_uid) or others[1] not in ("", series_uid):
            return None
        return Instance(
            study_uid=study_uid,
            series_uid=series_uid,
            uid=uid,
            sop_class=plain(header.text("SOPClassUID")),
            number=header.integer("InstanceNumber"),
            frames=header.integer("NumberOfFrames"),
        )

    return read
