"""Write masks as DICOM Segmentation (PS3.3 A.51), one binary segment for each region.

A planar image has no position in the patient, so the file has no frame of reference: each of its pixels is the same
pixel of the source frame that it refers to (Derivation Image functional group). Views that a user mirrored, or cut out
of a larger image, are put back into the source's frame. Frames are binary and no label map: few readers support label
maps, which DICOM has had since 2024.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.pixels.utils import pack_bits
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from pydicom.uid import ExplicitVRLittleEndian, SegmentationStorage, generate_uid
from pydicom.valuerep import DSfloat
from skimage.color import rgb2lab

from napari_bonescint import __version__
from napari_bonescint.anatomy import REGIONS, SKELETON_COLOUR
from napari_bonescint.atomic import write_bytes_atomically
from napari_bonescint.formats.dicom.lossy import is_lossy
from napari_bonescint.formats.dicom.source_views import SourceMissing, find_views
from napari_bonescint.formats.safe_reading.silence import quiet

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_bonescint.formats.dicom.header import Header
    from napari_bonescint.formats.dicom.source_views import SourceImages
    from napari_bonescint.scan import Scan

BONE_CODE = "3138006"
"""SNOMED CT code of a mask without region names."""

_ANATOMICAL_STRUCTURE = ("91723000", "SCT", "Anatomical Structure")
_SEGMENTATION = ("113076", "DCM", "Segmentation")
_SOURCE_IMAGE = ("121322", "DCM", "Source image for image processing operation")

# A segmentation has the patient and the study of its source.
_REQUIRED_OF_SOURCE = ("StudyInstanceUID", "SeriesInstanceUID", "SOPClassUID", "SOPInstanceUID")
_COPIED_EVEN_IF_EMPTY = (
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex"),
    *("StudyDate", "StudyTime", "AccessionNumber", "ReferringPhysicianName", "StudyID"),
)
_COPIED = ("IssuerOfPatientID", "PatientAge", "StudyDescription")
_LOSSY = ("LossyImageCompressionRatio", "LossyImageCompressionMethod")
_NAME = "napari-bonescint"


@dataclass(frozen=True)
class Author:
    """Author of a mask: a model (None for a mask without one), perhaps corrected by a person."""

    model: str | None = None
    corrected: bool = False

    @property
    def algorithm_type(self) -> str:
        """Value of Segment Algorithm Type (0062,0008)."""
        if self.model is None:
            return "MANUAL"
        return "SEMIAUTOMATIC" if self.corrected else "AUTOMATIC"


def write_dicom_seg(
    path: Path, scan: Scan, regions: NDArray[np.uint8], *, names_regions: bool = True, author: Author
) -> None:
    """Write the mask of a scan as DICOM SEG, whole or not at all; see `encode_dicom_seg`.

    A file that cannot be written raises `CannotWrite`.
    """
    write_bytes_atomically(path, encode_dicom_seg(scan, regions, names_regions=names_regions, author=author))


def encode_dicom_seg(scan: Scan, regions: NDArray[np.uint8], *, names_regions: bool = True, author: Author) -> bytes:
    """Encode the mask of a scan as DICOM SEG.

    `regions` (uint8, view, y, x) are region codes if `names_regions`, or 1 for bone. All regions are segments, numbered
    by their codes, even those without a pixel. A view without bone has one empty frame. The patient's identity is
    copied from the scan's `sources`, which must be DICOM files.

    Raises
    ------
    SourceMissing
        If the scan's files are unknown, are no DICOM files, or lack the identifiers for a reference.
    Refusal
        If a source file cannot be read.
    """
    if regions.shape != scan.counts.shape:
        raise ValueError(f"masks of shape {regions.shape} for counts of {scan.counts.shape}")
    source = find_views(scan)
    for file, header in zip(scan.sources, source.headers, strict=True):
        lacking = [keyword for keyword in _REQUIRED_OF_SOURCE if not header.text(keyword)]
        if lacking:
            missing = ", ".join(lacking)
            raise SourceMissing(f"{file.name}: has no {missing}, so a DICOM segmentation cannot refer to it.")
    with quiet():
        ds = _describe(scan, source)
        ds.SegmentSequence = Sequence(_segments(names_regions, author))
        _add_frames(ds, scan, source, regions)
        buffer = io.BytesIO()
        ds.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _describe(scan: Scan, source: SourceImages) -> Dataset:
    """The data set without segments and frames."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = SegmentationStorage
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID = generate_uid()
    first = source.headers[0]
    ds.StudyInstanceUID = first.text("StudyInstanceUID")
    for keyword in _COPIED_EVEN_IF_EMPTY:
        setattr(ds, keyword, first.text_or_name(keyword))
    for keyword in _COPIED:
        if first.text(keyword):
            setattr(ds, keyword, first.text(keyword))

    now = datetime.now(tz=UTC).astimezone()
    ds.Modality, ds.SeriesInstanceUID, ds.SeriesNumber, ds.InstanceNumber = "SEG", generate_uid(), 1, 1
    ds.SeriesDescription = "Bone masks"
    ds.Manufacturer = ds.ManufacturerModelName = _NAME
    ds.DeviceSerialNumber, ds.SoftwareVersions = "0", __version__
    ds.ContentDate, ds.ContentTime = now.strftime("%Y%m%d"), now.strftime("%H%M%S")
    ds.ContentLabel, ds.ContentDescription, ds.ContentCreatorName = "BONES", "Bones of a planar bone scan", ""

    ds.ImageType = ["DERIVED", "PRIMARY"]
    ds.SegmentationType, ds.SegmentsOverlap = "BINARY", "NO"
    ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PixelRepresentation = 1, "MONOCHROME2", 0
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = 1, 1, 0
    ds.Rows, ds.Columns = source.size
    ds.BurnedInAnnotation = "NO"
    ds.PatientOrientation = ""  # it differs between the two views; the source's value counts
    ds.LossyImageCompression = "00"
    for header in filter(is_lossy, source.headers):
        ds.LossyImageCompression = "01"
        for keyword in _LOSSY:
            if header.texts(keyword):
                setattr(ds, keyword, header.texts(keyword))

    ds.ReferencedSeriesSequence = Sequence(_referenced_series(source))
    organization = generate_uid()
    ds.DimensionOrganizationSequence = Sequence([_item(DimensionOrganizationUID=organization)])
    ds.DimensionIndexSequence = Sequence(
        _item(
            DimensionOrganizationUID=organization,
            DimensionIndexPointer=Tag(pointer),
            FunctionalGroupPointer=Tag(group),
            DimensionDescriptionLabel=label,
        )
        for pointer, group, label in (
            ("ReferencedSegmentNumber", "SegmentIdentificationSequence", "Segment"),
            ("FrameLabel", "FrameContentSequence", "View"),
        )
    )
    shared = Dataset()
    if scan.spacing is not None:
        spacing = [DSfloat(mm, auto_format=True) for mm in scan.spacing]
        # A projection has no thickness, but highdicom refuses pixel measures without one, and dciodvfy refuses 0.
        shared.PixelMeasuresSequence = Sequence([_item(PixelSpacing=spacing, SliceThickness=1)])
    ds.SharedFunctionalGroupsSequence = Sequence([shared])
    return ds


def _segments(names_regions: bool, author: Author) -> list[Dataset]:
    rows = [("bone", BONE_CODE, SKELETON_COLOUR)]
    if names_regions:
        rows = [(region.label, region.snomed[0], region.colour) for region in REGIONS[1:]]
    return [_segment(number, *row, author) for number, row in enumerate(rows, start=1)]


def _segment(number: int, label: str, snomed: str, colour: str, author: Author) -> Dataset:
    segment = _item(
        SegmentNumber=number,
        SegmentLabel=label,
        SegmentedPropertyCategoryCodeSequence=[_code(*_ANATOMICAL_STRUCTURE)],
        SegmentedPropertyTypeCodeSequence=[_code(snomed, "SCT", label.capitalize())],
        SegmentAlgorithmType=author.algorithm_type,
        RecommendedDisplayCIELabValue=_cielab(colour),
    )
    if author.model is not None:
        # At most the length of its value representation, and one value: a backslash would make two.
        segment.SegmentAlgorithmName = author.model.replace("\\", "_")[:64]
    return segment


def _add_frames(ds: Dataset, scan: Scan, source: SourceImages, regions: NDArray[np.uint8]) -> None:
    groups: list[Dataset] = []
    frames: list[NDArray[np.bool_]] = []
    for number, (view, place, mask) in enumerate(zip(scan.views, source.views, regions, strict=True), start=1):
        plane = np.zeros(source.size, np.uint8)
        place.paste(mask, plane)
        for code in np.unique(plane[plane > 0]) if plane.any() else (1,):
            groups.append(
                _item(
                    FrameContentSequence=[_item(DimensionIndexValues=[int(code), number], FrameLabel=view.name.value)],
                    DerivationImageSequence=[_derivation(source, place.file, place.frame)],
                    SegmentIdentificationSequence=[_item(ReferencedSegmentNumber=int(code))],
                )
            )
            frames.append(plane == code)
    ds.NumberOfFrames = len(frames)
    ds.PerFrameFunctionalGroupsSequence = Sequence(groups)
    ds.PixelData = pack_bits(np.stack(frames).astype(np.uint8).ravel())
    ds["PixelData"].VR = "OB"


def _derivation(source: SourceImages, file: int, frame: int) -> Dataset:
    reference = _reference(source.headers[file])
    # A reference without a frame number means all frames; one to a single-frame image must have none.
    if source.frames[file] > 1:
        reference.ReferencedFrameNumber = frame
    reference.PurposeOfReferenceCodeSequence = Sequence([_code(*_SOURCE_IMAGE)])
    reference.SpatialLocationsPreserved = "YES"
    return _item(DerivationCodeSequence=[_code(*_SEGMENTATION)], SourceImageSequence=[reference])


def _referenced_series(source: SourceImages) -> list[Dataset]:
    series: dict[str, list[Dataset]] = {}
    for header in source.headers:
        series.setdefault(header.text("SeriesInstanceUID"), []).append(_reference(header))
    return [_item(SeriesInstanceUID=uid, ReferencedInstanceSequence=items) for uid, items in series.items()]


def _reference(header: Header) -> Dataset:
    return _item(
        ReferencedSOPClassUID=header.text("SOPClassUID"), ReferencedSOPInstanceUID=header.text("SOPInstanceUID")
    )


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    return _item(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)


def _item(**attributes: object) -> Dataset:
    item = Dataset()
    for keyword, value in attributes.items():
        setattr(item, keyword, value)
    return item


def _cielab(colour: str) -> list[int]:
    """A colour ``#rrggbb`` in DICOM's form (PS3.3 C.10.7.1.1): L in 0..100, a and b in -128..127, 16 bits each."""
    rgb = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    lightness, a, b = rgb2lab(rgb)
    scaled = np.array([lightness / 100, (a + 128) / 255, (b + 128) / 255]) * 65535
    return [round(value) for value in scaled.clip(0, 65535)]
