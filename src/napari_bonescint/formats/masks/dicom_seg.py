"""Write masks as DICOM Segmentation (PS3.3 A.51), one binary segment for each region.

A planar image has no position in the patient, so the file has no frame of reference: each of its pixels is the same
pixel of the source frame that it refers to (Derivation Image functional group). Views that a user mirrored, or cut out
of a larger image, are put back into the source's frame. Frames are binary and no label map: few readers support label
maps, which DICOM has had since 2024.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from pydicom.dataset import Dataset
from pydicom.pixels.utils import pack_bits
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from pydicom.uid import SegmentationStorage, generate_uid
from pydicom.valuerep import DSfloat

from napari_bonescint.anatomy import REGIONS, SKELETON_COLOUR
from napari_bonescint.files.atomic import write_bytes_atomically
from napari_bonescint.formats.dicom.derived import (
    code,
    derived_dataset,
    item,
    reference,
    referenced_series,
    require_identifiers,
    state_lossy_compression,
)
from napari_bonescint.formats.dicom.source_views import find_views
from napari_bonescint.formats.safe_reading.silence import quiet

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_bonescint.formats.dicom.source_views import SourceImages
    from napari_bonescint.scan import Scan

BONE_CODE = "3138006"
"""SNOMED CT code of a mask without region names."""

_ANATOMICAL_STRUCTURE = ("91723000", "SCT", "Anatomical Structure")
_SEGMENTATION = ("113076", "DCM", "Segmentation")
_SOURCE_IMAGE = ("121322", "DCM", "Source image for image processing operation")


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


@dataclass(frozen=True)
class Segment:
    """One segment, without its pixels.

    Attributes
    ----------
    label : str
        Name of the segment.
    category, kind : (str, str, str)
        Codes of its category and type: value, scheme and meaning.
    colour : str
        Display colour, ``#rrggbb``.
    author : Author
        Its author.
    description : str
        More about it in words, or empty.
    """

    label: str
    category: tuple[str, str, str]
    kind: tuple[str, str, str]
    colour: str
    author: Author
    description: str = ""


@dataclass(frozen=True)
class SegContent:
    """Descriptions of a segmentation: of its series, its label (capitals) and its content."""

    series: str = "Bone masks"
    label: str = "BONES"
    description: str = "Bones of a planar bone scan"


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
    rows = [("bone", BONE_CODE, SKELETON_COLOUR)]
    if names_regions:
        rows = [(region.label, region.snomed[0], region.colour) for region in REGIONS[1:]]
    segments = [
        Segment(label, _ANATOMICAL_STRUCTURE, (value, "SCT", label.capitalize()), colour, author)
        for label, value, colour in rows
    ]
    return encode_segments(scan, regions, segments, SegContent())


def encode_segments(scan: Scan, labels: NDArray[np.generic], segments: Iterable[Segment], content: SegContent) -> bytes:
    """Encode labels (view, y, x) of a scan as DICOM SEG; the value of a pixel is the number of its segment, from 1.

    The errors are those of `encode_dicom_seg`.
    """
    source = find_views(scan)
    require_identifiers(scan, source)
    with quiet():
        ds = _describe(scan, source, content)
        ds.SegmentSequence = Sequence(_segment(number, segment) for number, segment in enumerate(segments, start=1))
        _add_frames(ds, scan, source, labels)
        buffer = io.BytesIO()
        ds.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _describe(scan: Scan, source: SourceImages, content: SegContent) -> Dataset:
    """The data set without segments and frames."""
    ds = derived_dataset(source.headers[0], SegmentationStorage, "SEG", content.series)
    ds.ContentLabel, ds.ContentDescription, ds.ContentCreatorName = content.label, content.description, ""

    ds.ImageType = ["DERIVED", "PRIMARY"]
    ds.SegmentationType, ds.SegmentsOverlap = "BINARY", "NO"
    ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PixelRepresentation = 1, "MONOCHROME2", 0
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = 1, 1, 0
    ds.Rows, ds.Columns = source.size
    ds.BurnedInAnnotation = "NO"
    ds.PatientOrientation = ""  # it differs between the two views; the source's value counts
    state_lossy_compression(source.headers, ds)

    ds.ReferencedSeriesSequence = Sequence(referenced_series(source))
    organization = generate_uid()
    ds.DimensionOrganizationSequence = Sequence([item(DimensionOrganizationUID=organization)])
    ds.DimensionIndexSequence = Sequence(
        item(
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
        shared.PixelMeasuresSequence = Sequence([item(PixelSpacing=spacing, SliceThickness=1)])
    ds.SharedFunctionalGroupsSequence = Sequence([shared])
    return ds


def _segment(number: int, segment: Segment) -> Dataset:
    made = item(
        SegmentNumber=number,
        SegmentLabel=segment.label,
        SegmentedPropertyCategoryCodeSequence=[code(*segment.category)],
        SegmentedPropertyTypeCodeSequence=[code(*segment.kind)],
        SegmentAlgorithmType=segment.author.algorithm_type,
        RecommendedDisplayCIELabValue=_cielab(segment.colour),
    )
    if segment.description:
        made.SegmentDescription = segment.description
    if segment.author.model is not None:
        # At most the length of its value representation, and one value: a backslash would make two.
        made.SegmentAlgorithmName = segment.author.model.replace("\\", "_")[:64]
    return made


def _add_frames(ds: Dataset, scan: Scan, source: SourceImages, labels: NDArray[np.generic]) -> None:
    groups: list[Dataset] = []
    frames: list[NDArray[np.bool_]] = []
    for number, (view, place, mask) in enumerate(zip(scan.views, source.views, labels, strict=True), start=1):
        plane = np.zeros(source.size, labels.dtype)
        place.paste(mask, plane)
        for segment in np.unique(plane[plane > 0]) if plane.any() else (1,):
            content = item(DimensionIndexValues=[int(segment), number], FrameLabel=view.name.value)
            groups.append(
                item(
                    FrameContentSequence=[content],
                    DerivationImageSequence=[_derivation(source, place.file, place.frame)],
                    SegmentIdentificationSequence=[item(ReferencedSegmentNumber=int(segment))],
                )
            )
            frames.append(plane == segment)
    ds.NumberOfFrames = len(frames)
    ds.PerFrameFunctionalGroupsSequence = Sequence(groups)
    ds.PixelData = pack_bits(np.stack(frames).astype(np.uint8).ravel())
    ds["PixelData"].VR = "OB"


def _derivation(source: SourceImages, file: int, frame: int) -> Dataset:
    image = reference(source.headers[file])
    # A reference without a frame number means all frames; one to a single-frame image must have none.
    if source.frames[file] > 1:
        image.ReferencedFrameNumber = frame
    image.PurposeOfReferenceCodeSequence = Sequence([code(*_SOURCE_IMAGE)])
    image.SpatialLocationsPreserved = "YES"
    return item(DerivationCodeSequence=[code(*_SEGMENTATION)], SourceImageSequence=[image])


def _cielab(colour: str) -> list[int]:
    """A colour ``#rrggbb`` in DICOM's form (PS3.3 C.10.7.1.1): L in 0..100, a and b in -128..127, 16 bits each."""
    from skimage.color import rgb2lab  # which imports a large part of SciPy

    rgb = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    lightness, a, b = rgb2lab(rgb)
    scaled = np.array([lightness / 100, (a + 128) / 255, (b + 128) / 255]) * 65535
    return [round(value) for value in scaled.clip(0, 65535)]
