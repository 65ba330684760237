"""Prepare results for an archive: patient and study are those of the source, and identifiers are new."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydicom.uid import UID, generate_uid

from napari_bonescint.archive.errors import ArchiveError
from napari_bonescint.archive.receiving.inbox import MOST_OBJECT_BYTES
from napari_bonescint.archive.records import is_uid
from napari_bonescint.errors import BonescintError
from napari_bonescint.formats.dicom.header import Header, looks_like_dicom, parse_whole, read_header
from napari_bonescint.formats.dicom.identity import patient_number
from napari_bonescint.formats.safe_reading.guarded import refusing
from napari_bonescint.formats.safe_reading.refusal import Refusal
from napari_bonescint.formats.safe_reading.silence import quiet
from napari_bonescint.formats.safe_reading.source_file import read_start, read_whole

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pydicom.dataset import Dataset

RESULT_CLASSES: Mapping[str, str] = {
    "1.2.840.10008.5.1.4.1.1.66.4": "DICOM SEG",
    "1.2.840.10008.5.1.4.1.1.88.11": "Basic Text SR",
    "1.2.840.10008.5.1.4.1.1.88.22": "Enhanced SR",
    "1.2.840.10008.5.1.4.1.1.88.33": "Comprehensive SR",
    "1.2.840.10008.5.1.4.1.1.88.34": "Comprehensive 3D SR",
    "1.2.840.10008.5.1.4.1.1.104.1": "PDF",
    "1.2.840.10008.5.1.4.1.1.7": "Secondary Capture",
    "1.2.840.10008.5.1.4.1.1.7.1": "Multi-frame Single Bit Secondary Capture",
    "1.2.840.10008.5.1.4.1.1.7.2": "Multi-frame Grayscale Byte Secondary Capture",
    "1.2.840.10008.5.1.4.1.1.7.4": "Multi-frame True Color Secondary Capture",
}
"""Kinds of objects that are sent, by SOP class; scans never are."""

# Attributes by which an archive files an object.
_PATIENT = ("PatientBirthDate", "PatientSex", "IssuerOfPatientID")


class NotFitting(BonescintError):
    """A result is of another patient or study than its source, or is no result at all."""


@dataclass(frozen=True)
class Outgoing:
    """One object to send, complete with its identifiers, which stay the same in every try.

    Attributes
    ----------
    content : bytes
        A DICOM file.
    study_uid, series_uid, instance_uid, sop_class, transfer_syntax : str
    patient_id : str
        For comparison with what the archive says about the study.
    """

    content: bytes = field(repr=False)
    study_uid: str
    series_uid: str
    instance_uid: str
    sop_class: str
    transfer_syntax: str
    patient_id: str = field(repr=False)


def prepare(results: Sequence[Path], source: Path, *, seed: str = "") -> tuple[Outgoing, ...]:
    """Compare results with the scan that they were made of, and give them new identifiers.

    Parameters
    ----------
    results : sequence of Path
        DICOM SEG, SR, PDF or Secondary Capture files of one scan.
    source : Path
        A DICOM file of the scan.
    seed : str
        If given, the same seed gives the same identifiers.

    Returns
    -------
    tuple of Outgoing
        In the study of the source, with new series and instance identifiers; what refers to another of the results
        refers to its new identifier. Results of one series stay in one series.

    Raises
    ------
    NotFitting
        If patient or study differ from those of the source, or a file is no result.
    Refusal
        If a file cannot be read.
    """
    scan = _read_source(source)
    opened: list[tuple[Path, Dataset]] = []
    for path in results:
        with refusing(path):
            content = read_whole(path)
            if len(content) > MOST_OBJECT_BYTES:
                raise Refusal(path, "The file is too large to be a result.")
            header = parse_whole(path, content)
        _require_result(path, header, scan)
        opened.append((path, header.dataset))
    renamed: dict[str, str] = {}
    for _, dataset in opened:
        for uid in (str(dataset.SeriesInstanceUID), str(dataset.SOPInstanceUID)):
            entropy = [seed, str(len(renamed))] if seed else None
            renamed.setdefault(uid, str(generate_uid(entropy_srcs=entropy)))
    return tuple(_renamed(path, dataset, renamed, scan) for path, dataset in opened)


def as_outgoing(content: bytes, path: Path) -> Outgoing:
    """An object that was prepared before, from its bytes; a damaged one is a `Refusal` of `path`."""
    with refusing(path):
        header = parse_whole(path, content)
    return _outgoing(content, header)


def _outgoing(content: bytes, header: Header) -> Outgoing:
    return Outgoing(
        content,
        header.text("StudyInstanceUID"),
        header.text("SeriesInstanceUID"),
        header.text("SOPInstanceUID"),
        header.text("SOPClassUID"),
        str(header.transfer_syntax),
        header.text("PatientID"),
    )


def _read_source(source: Path) -> Header:
    with refusing(source):
        if not looks_like_dicom(read_start(source)):
            raise NotFitting(f"{source.name}: is no DICOM file, so its patient and study are unknown.")
        scan = read_header(source)
    if not is_uid(scan.text("StudyInstanceUID")):
        raise NotFitting(f"{source.name}: has no study identifier, so results cannot be filed under its study.")
    return scan


def _require_result(path: Path, header: Header, scan: Header) -> None:
    """Raise `NotFitting` unless a file is a result of this scan's patient and study."""
    if header.text("SOPClassUID") not in RESULT_CLASSES:
        kinds = "DICOM SEG, SR, PDF and Secondary Capture"
        raise NotFitting(f"{path.name}: is none of the results that are sent to an archive ({kinds}).")
    if not all(is_uid(header.text(keyword)) for keyword in ("SeriesInstanceUID", "SOPInstanceUID")):
        raise NotFitting(f"{path.name}: has invalid identifiers; make the result again.")
    if header.text("StudyInstanceUID") != scan.text("StudyInstanceUID"):
        raise NotFitting(f"{path.name}: belongs to another study than its source; nothing was sent.")
    if header.text("PatientID") != scan.text("PatientID"):
        raise NotFitting(f"{path.name}: has another patient identifier than its source; nothing was sent.")
    if _name(header) != _name(scan):
        raise NotFitting(f"{path.name}: has another patient name than its source; nothing was sent.")
    for keyword in _PATIENT:
        if header.text(keyword) and scan.text(keyword) and header.text(keyword) != scan.text(keyword):
            raise NotFitting(f"{path.name}: differs from its source in {keyword}; nothing was sent.")


def require_same_patient(objects: Sequence[Outgoing], archived: str, archive: str) -> None:
    """Raise `ArchiveError` if an archive files the study of these objects under another patient identifier."""
    for each in objects:
        if patient_number(archived) != patient_number(each.patient_id):
            raise ArchiveError(
                f"{archive}: has this study under another patient identifier than the scan; nothing was sent. Ask the "
                "archive's administrator."
            )


def _name(header: Header) -> str:
    """The patient's name without empty components and case."""
    return header.text_or_name("PatientName").rstrip("^= ").casefold()


def _renamed(path: Path, dataset: Dataset, renamed: Mapping[str, str], scan: Header) -> Outgoing:
    """An object with its new identifiers, encoded."""
    source_uids = {scan.text("SOPInstanceUID"), scan.text("SeriesInstanceUID"), scan.text("StudyInstanceUID")}
    with refusing(path), quiet():
        changes = {old: new for old, new in renamed.items() if old not in source_uids}
        # A result must not take the series or the identifier of its source.
        dataset.SeriesInstanceUID = UID(renamed[str(dataset.SeriesInstanceUID)])
        dataset.SOPInstanceUID = UID(renamed[str(dataset.SOPInstanceUID)])
        _replace_references(dataset, changes)
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
        buffer = io.BytesIO()
        dataset.save_as(buffer, enforce_file_format=True)
        return _outgoing(buffer.getvalue(), Header(dataset))


def _replace_references(dataset: Dataset, renamed: Mapping[str, str]) -> None:
    for element in dataset.iterall():
        if element.VR == "UI" and isinstance(element.value, str) and element.value in renamed:
            element.value = UID(renamed[element.value])
