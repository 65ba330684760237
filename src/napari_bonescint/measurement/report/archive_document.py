"""The pages of a report for an archive: Encapsulated PDF (PS3.3 A.45.1), or Secondary Capture (PS3.3 A.8)."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from pydicom.uid import (
    EncapsulatedPDFStorage,
    MultiFrameTrueColorSecondaryCaptureImageStorage,
    SecondaryCaptureImageStorage,
)

from napari_bonescint.formats.dicom.derived import code, derived_dataset, item, reference
from napari_bonescint.formats.safe_reading.silence import quiet
from napari_bonescint.measurement.report.options import DicomDocument

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray
    from pydicom.dataset import Dataset

    from napari_bonescint.formats.dicom.source_views import SourceImages
    from napari_bonescint.measurement.report.content import Content

_SERIES = "Bone scan measurements: report"
_REPORT = ("18748-4", "LN", "Diagnostic imaging report")
_SOURCE_IMAGE = ("121322", "DCM", "Source image for image processing operation")
_DOTS_PER_INCH = 150
_POINTS_PER_INCH = 72


def encode_document(form: DicomDocument, pdf: bytes, content: Content, source: SourceImages) -> bytes:
    """Encode the pages as a DICOM object of the patient and study of the source.

    Parameters
    ----------
    form : DicomDocument
        Encapsulated PDF or Secondary Capture.
    pdf : bytes
        The pages.
    content : Content
        Their texts.
    source : SourceImages
        The DICOM files of the scan.
    """
    with quiet():
        ds = _encapsulated(pdf, content, source) if form is DicomDocument.PDF else _captured(pdf, content, source)
        # Whether the pages themselves, and not only the header, name the patient.
        ds.BurnedInAnnotation = "YES" if content.patient else "NO"
        buffer = io.BytesIO()
        ds.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _encapsulated(pdf: bytes, content: Content, source: SourceImages) -> Dataset:
    ds = derived_dataset(source.headers[0], EncapsulatedPDFStorage, "DOC", _SERIES)
    ds.ConversionType = "WSD"
    ds.AcquisitionDateTime = ""
    ds.DocumentTitle = content.title
    ds.ConceptNameCodeSequence = Sequence([code(*_REPORT)])
    ds.VerificationFlag = "UNVERIFIED"
    ds.SourceInstanceSequence = Sequence([reference(header) for header in source.headers])
    ds.MIMETypeOfEncapsulatedDocument = "application/pdf"
    ds.EncapsulatedDocumentLength = len(pdf)
    ds.EncapsulatedDocument = pdf + b"\0" * (len(pdf) % 2)
    ds["EncapsulatedDocument"].VR = "OB"
    ds.add_new(0x00420010, "ST", content.title)
    _state_source(ds, content)
    return ds


def _captured(pdf: bytes, content: Content, source: SourceImages) -> Dataset:
    """An image of each page; two pages are the frames of one image."""
    pages = _rendered(pdf)
    several = len(pages) > 1
    uid = MultiFrameTrueColorSecondaryCaptureImageStorage if several else SecondaryCaptureImageStorage
    ds = derived_dataset(source.headers[0], uid, "OT", _SERIES)
    ds.ConversionType = "WSD"
    ds.ImageType = ["DERIVED", "SECONDARY"]
    ds.PatientOrientation = ds.Laterality = ""
    if several:
        ds.NumberOfFrames = len(pages)
        ds.FrameIncrementPointer = Tag("PageNumberVector")
        ds.PageNumberVector = list(range(1, len(pages) + 1))
    ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PlanarConfiguration = 3, "RGB", 0
    ds.Rows, ds.Columns = pages.shape[1:3]
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 8, 8, 7, 0
    ds.SourceImageSequence = Sequence(map(_image_reference, (reference(header) for header in source.headers)))
    ds.PixelData = pages.tobytes() + b"\0" * (pages.size % 2)
    ds["PixelData"].VR = "OB"
    _state_source(ds, content)
    return ds


def _image_reference(found: Dataset) -> Dataset:
    found.PurposeOfReferenceCodeSequence = Sequence([code(*_SOURCE_IMAGE)])
    return found


def _state_source(ds: Dataset, content: Content) -> None:
    """State what made the object, from which files, and that it is research software."""
    ds.ContributingEquipmentSequence = Sequence(
        [
            item(
                PurposeOfReferenceCodeSequence=[code("109102", "DCM", "Processing Equipment")],
                Manufacturer="napari-bonescint",
                ManufacturerModelName="napari-bonescint",
                SoftwareVersions=content.program.rpartition(" ")[2],
                ContributionDescription=f"{content.footer} Source SHA-256 {content.source}",
            )
        ]
    )


def _rendered(pdf: bytes) -> NDArray[np.uint8]:
    """The pages as red, green and blue (page, y, x, 3)."""
    import pypdfium2

    document = pypdfium2.PdfDocument(pdf)
    try:
        return np.stack(list(_pages(document)))
    finally:
        document.close()


def _pages(document: Iterable[object]) -> Iterable[NDArray[np.uint8]]:
    for page in document:
        bitmap = page.render(scale=_DOTS_PER_INCH / _POINTS_PER_INCH, rev_byteorder=True)  # type: ignore[attr-defined]
        yield np.asarray(bitmap.to_pil().convert("RGB"), np.uint8).copy()
