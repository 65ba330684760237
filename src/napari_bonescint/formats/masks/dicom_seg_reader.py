"""Read DICOM Segmentation, binary or label map, of this program and of others."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from pydicom.dataset import Dataset

from napari_bonescint.anatomy import REGIONS
from napari_bonescint.formats.dicom.header import Header, parse_whole, read_header
from napari_bonescint.formats.dicom.pixels import decode
from napari_bonescint.formats.dicom.source_views import find_views
from napari_bonescint.formats.masks.dicom_seg import BONE_CODE
from napari_bonescint.formats.masks.mask import Mask, MaskDoesNotFit
from napari_bonescint.formats.masks.region_mapping import BONE, RegionMapping, Translated
from napari_bonescint.formats.safe_reading.guarded import reader
from napari_bonescint.formats.safe_reading.plausibility import require_possible_size
from napari_bonescint.formats.safe_reading.refusal import DAMAGED, Refusal
from napari_bonescint.formats.safe_reading.source_file import read_whole
from napari_bonescint.scan import View, ViewName

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_bonescint.scan import Scan, Spacing

_MODALITY = "SEG"
_TYPES = ("BINARY", "LABELMAP")
_SNOMED = {"SCT", "SRT", "SNOMED-CT"}
# Sixteen regions of two views need 32; a whole-body CT has thousands.
_MOST_FRAMES = 512


class Place(NamedTuple):
    """The source of a plane: SOP Instance UID (only compared), frame from 1 (None: unknown), the frame's label."""

    instance: str
    frame: int | None
    label: str


def is_dicom_seg(header: Header) -> bool:
    """True if a DICOM file is a segmentation."""
    return header.text("Modality").upper() == _MODALITY and header.has("SegmentSequence")


@reader
def read_dicom_seg(path: Path, mapping: RegionMapping | None = None, scan: Scan | None = None) -> Mask:
    """Read a DICOM SEG of type BINARY or LABELMAP, whose frames refer to frames of their source images.

    `mapping` gives regions by segment label, code value or segment number; by default, SNOMED CT codes decide. With
    `scan` and its `sources`, the mask has the scan's views that the file refers to, in the scan's orientation; without
    it, the file's planes in their order, in the source image's orientation.

    Raises
    ------
    Refusal, UnmappedLabels
        If the file is no such segmentation, or is damaged; if a segment is no region.
    MaskDoesNotFit, SourceMissing
        If the file was made for other images than the scan's; if the scan's files are no DICOM files.
    """
    header = parse_whole(path, read_whole(path))
    if not is_dicom_seg(header):
        raise Refusal(path, "The file is no DICOM segmentation.")
    names = _segment_names(header)
    planes = _planes(path, header)
    labels = np.stack(list(planes.values()))
    translated = _by_code(path, labels, names) if mapping is None else mapping.translate(path, labels, names)
    spacing = _spacing(header)
    if scan is None:
        if len(planes) > len(ViewName):
            rule = "a mask has one plane for each view, at most two"
            raise Refusal(path, f"The file refers to {len(planes)} images; {rule}.")
        views = tuple(_view(place.label) for place in planes)
        named = len(set(views)) == len(views) and None not in views
        return Mask(translated.regions, views if named else (None,) * len(views), spacing, translated.names_regions)
    found = _on_scan(path, dict(zip(planes, translated.regions, strict=True)), scan)
    return Mask(np.stack(list(found.values())), tuple(found), scan.spacing, translated.names_regions)


@reader
def referenced_images(path: Path) -> set[str]:
    """SOP Instance UIDs of a segmentation's source images, to be compared only.

    A file that is damaged, is no segmentation or names no source image is a `Refusal`.
    """
    header = read_header(path)
    if not is_dicom_seg(header):
        raise Refusal(path, "The file is no DICOM segmentation.")
    shared = next(iter(header.items("SharedFunctionalGroupsSequence")), Header(Dataset()))
    groups = header.items("PerFrameFunctionalGroupsSequence")
    return {_place(path, group, shared).instance for group in groups[:_MOST_FRAMES]}


def _segment_names(header: Header) -> dict[int, tuple[str, ...]]:
    """For each segment's number, its label and the value of its SNOMED CT type code; a mapping may use any of them."""
    names = {}
    for segment in header.items("SegmentSequence"):
        codes = segment.items("SegmentedPropertyTypeCodeSequence")
        values = [code.text("CodeValue") for code in codes if code.text("CodingSchemeDesignator") in _SNOMED]
        names[segment.integer("SegmentNumber") or 0] = (segment.text("SegmentLabel"), *values)
    return names


def _by_code(path: Path, labels: NDArray[np.integer], names: dict[int, tuple[str, ...]]) -> Translated:
    """Translate segments by their SNOMED CT codes."""
    by_code = {code: region.name for region in REGIONS for code in region.snomed} | {BONE_CODE: BONE}
    # The segments tell whether a mask without any bone would name regions.
    if not labels.any():
        return Translated(labels.astype(np.uint8), not any(BONE_CODE in called for called in names.values()))
    return RegionMapping("the list of SNOMED CT codes", by_code).translate(path, labels, names)


def _planes(path: Path, header: Header) -> dict[Place, NDArray[np.int64]]:
    """Segment numbers (y, x) on each source frame, in the order of these frames."""
    kind, frames = header.text("SegmentationType"), header.integer("NumberOfFrames") or 1
    if kind not in _TYPES:
        stated = kind if kind == "FRACTIONAL" else "unknown"
        raise Refusal(path, f"Segmentation Type is {stated}; only {' and '.join(_TYPES)} are supported.")
    if not 1 <= frames <= _MOST_FRAMES:
        limit = f"a segmentation of a planar scan has at most {_MOST_FRAMES}"
        raise Refusal(path, f"The file has {frames} frames; {limit}.")
    rows, columns = header.size
    require_possible_size(path, rows, columns)
    pixels = decode(header, path, frames)
    shared = next(iter(header.items("SharedFunctionalGroupsSequence")), Header(Dataset()))
    groups = header.items("PerFrameFunctionalGroupsSequence")
    if len(groups) != frames:
        raise Refusal(path, DAMAGED)
    planes: dict[Place, NDArray[np.int64]] = defaultdict(lambda: np.zeros((rows, columns), np.int64))
    for group, stored in zip(groups, pixels, strict=True):
        plane = planes[_place(path, group, shared)]
        labels = stored.astype(np.int64)
        if kind == "BINARY":
            labels *= _segment_number(path, group, shared)
        if ((plane != 0) & (labels != 0)).any():
            raise Refusal(path, "Segments overlap; a mask has one region a pixel.")
        plane += labels
    return dict(sorted(planes.items(), key=lambda item: (item[0].label != ViewName.ANTERIOR, item[0].frame or 0)))


def _segment_number(path: Path, group: Header, shared: Header) -> int:
    for each in (*group.items("SegmentIdentificationSequence"), *shared.items("SegmentIdentificationSequence")):
        number = each.integer("ReferencedSegmentNumber")
        if number:
            return number
    raise Refusal(path, "A frame does not state which segment it shows.")


def _place(path: Path, group: Header, shared: Header) -> Place:
    label = "".join(content.text("FrameLabel") for content in group.items("FrameContentSequence"))
    for derivation in (*group.items("DerivationImageSequence"), *shared.items("DerivationImageSequence")):
        for image in derivation.items("SourceImageSequence"):
            return Place(image.text("ReferencedSOPInstanceUID"), image.integer("ReferencedFrameNumber"), label.lower())
    raise Refusal(path, "The file does not state the source image of each frame (Derivation Image Sequence).")


def _on_scan(path: Path, planes: dict[Place, NDArray[np.uint8]], scan: Scan) -> dict[View, NDArray[np.uint8]]:
    """The planes of the scan's views; the file may lack a view, since other programs write a file for each."""
    source = find_views(scan)
    instances = [header.text("SOPInstanceUID") for header in source.headers]
    if not {place.instance for place in planes} <= set(instances):
        raise MaskDoesNotFit(f"{path.name}: was made for another image than {scan.sources[0].name}.")
    if next(iter(planes.values())).shape != source.size:
        raise MaskDoesNotFit(f"{path.name}: its frames have another size than those of {scan.sources[0].name}.")
    found = {}
    for view, at in zip(scan.views, source.views, strict=True):
        # A reference without a frame means all frames.
        here = [
            at.cut(plane)
            for place, plane in planes.items()
            if place.instance == instances[at.file] and place.frame in (None, at.frame)
        ]
        if here:
            found[view] = np.max(here, axis=0)
    if not found:
        raise MaskDoesNotFit(f"{path.name}: refers to other frames of {scan.sources[0].name} than those of its views.")
    return found


def _view(label: str) -> View | None:
    return next((View(name) for name in ViewName if name == label), None)


def _spacing(header: Header) -> Spacing | None:
    for group in header.items("SharedFunctionalGroupsSequence"):
        for measures in group.items("PixelMeasuresSequence"):
            stated = measures.numbers("PixelSpacing")
            if len(stated) == 2 and min(stated) > 0:
                return stated[0], stated[1]
    return None
