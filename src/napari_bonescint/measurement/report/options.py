"""What a report consists of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class DicomDocument(StrEnum):
    """Forms of the pages for an archive."""

    PDF = "pdf"
    """Encapsulated PDF, which most archives show, with text that can be searched."""
    CAPTURE = "capture"
    """Secondary Capture, an image, which every archive shows."""


@dataclass(frozen=True)
class ReportOptions:
    """The files of a report.

    The DICOM files are written only if the scan came from DICOM files. Their headers always hold the patient and the
    study of these files, because an archive files them by it.

    Attributes
    ----------
    pdf, html : bool
        Pages for people.
    identity : bool
        Whether the pages state name, ID and birth date of the patient. They are read from the scan's DICOM files at
        that moment.
    segmentation : bool
        Hot spots as DICOM Segmentation, one file for each view that has any.
    structured_report : bool
        All measures as DICOM Structured Report (TID 1500). It refers to the segmentations.
    document : DicomDocument or None
        The pages for an archive.
    """

    pdf: bool = True
    html: bool = True
    identity: bool = False
    segmentation: bool = True
    structured_report: bool = True
    document: DicomDocument | None = DicomDocument.PDF

    @property
    def wants_dicom(self) -> bool:
        """Whether a file for an archive is wanted."""
        return self.segmentation or self.structured_report or self.document is not None
