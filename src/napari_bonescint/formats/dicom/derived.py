"""DICOM objects made from images of an archive: they have the patient and the study of their source."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from napari_bonescint import __version__
from napari_bonescint.formats.dicom.lossy import is_lossy
from napari_bonescint.formats.dicom.source_views import SourceMissing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydicom.uid import UID

    from napari_bonescint.formats.dicom.header import Header
    from napari_bonescint.formats.dicom.source_views import SourceImages
    from napari_bonescint.scan import Scan

_REQUIRED_OF_SOURCE = ("StudyInstanceUID", "SeriesInstanceUID", "SOPClassUID", "SOPInstanceUID")
_COPIED_EVEN_IF_EMPTY = (
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex"),
    *("StudyDate", "StudyTime", "AccessionNumber", "ReferringPhysicianName", "StudyID"),
)
_COPIED = ("IssuerOfPatientID", "PatientAge", "StudyDescription")
_LOSSY = ("LossyImageCompressionRatio", "LossyImageCompressionMethod")
_NAME = "napari-bonescint"


def require_identifiers(scan: Scan, source: SourceImages) -> None:
    """Raise `SourceMissing` if a file of a scan lacks an identifier by which another DICOM object refers to it."""
    for file, header in zip(scan.sources, source.headers, strict=True):
        lacking = [keyword for keyword in _REQUIRED_OF_SOURCE if not header.text(keyword)]
        if lacking:
            missing = ", ".join(lacking)
            raise SourceMissing(f"{file.name}: has no {missing}, so a DICOM segmentation cannot refer to it.")


def derived_dataset(header: Header, sop_class: UID, modality: str, series: str) -> Dataset:
    """A new object of a new series, made now by this program, of the patient and study in a header.

    `series` is the description of the series.
    """
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = sop_class
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID = generate_uid()
    copy_patient_and_study(header, ds)
    now = datetime.now(tz=UTC).astimezone()
    ds.Modality, ds.SeriesInstanceUID, ds.SeriesNumber, ds.InstanceNumber = modality, generate_uid(), 1, 1
    ds.SeriesDescription = series
    ds.Manufacturer = ds.ManufacturerModelName = _NAME
    ds.DeviceSerialNumber, ds.SoftwareVersions = "0", __version__
    ds.ContentDate, ds.ContentTime = now.strftime("%Y%m%d"), now.strftime("%H%M%S")
    return ds


def copy_patient_and_study(header: Header, ds: Dataset) -> None:
    """Copy the attributes of patient and study from a header."""
    ds.StudyInstanceUID = header.text("StudyInstanceUID")
    for keyword in _COPIED_EVEN_IF_EMPTY:
        setattr(ds, keyword, header.text_or_name(keyword))
    for keyword in _COPIED:
        if header.text(keyword):
            setattr(ds, keyword, header.text(keyword))


def state_lossy_compression(headers: Iterable[Header], ds: Dataset) -> None:
    """State whether an object is made from images with lossy compression."""
    ds.LossyImageCompression = "00"
    for header in filter(is_lossy, headers):
        ds.LossyImageCompression = "01"
        for keyword in _LOSSY:
            if header.texts(keyword):
                setattr(ds, keyword, header.texts(keyword))


def referenced_series(source: SourceImages) -> list[Dataset]:
    """Items of Referenced Series Sequence for the files of a scan."""
    series: dict[str, list[Dataset]] = {}
    for header in source.headers:
        series.setdefault(header.text("SeriesInstanceUID"), []).append(reference(header))
    return [item(SeriesInstanceUID=uid, ReferencedInstanceSequence=items) for uid, items in series.items()]


def reference(header: Header) -> Dataset:
    """An item that refers to the object with a header."""
    return item(
        ReferencedSOPClassUID=header.text("SOPClassUID"), ReferencedSOPInstanceUID=header.text("SOPInstanceUID")
    )


def code(value: str, scheme: str, meaning: str) -> Dataset:
    """An item of a code sequence."""
    return item(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)


def item(**attributes: object) -> Dataset:
    """An item of a sequence, by keywords."""
    made = Dataset()
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    return made
