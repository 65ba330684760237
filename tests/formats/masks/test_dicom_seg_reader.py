"""Segmentations that another library wrote, as another program would: label maps, and segments of its own making."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from highdicom import AlgorithmIdentificationSequence
from highdicom.seg import SegmentAlgorithmTypeValues, Segmentation, SegmentDescription
from pydicom import dcmread
from pydicom.sr.coding import Code
from pydicom.uid import SecondaryCaptureImageStorage, generate_uid

from napari_bonescint.anatomy import CODES
from napari_bonescint.formats.masks.dicom_seg_reader import read_dicom_seg
from napari_bonescint.formats.masks.mask import MaskDoesNotFit, lay_on
from napari_bonescint.formats.masks.region_mapping import RegionMapping, UnmappedLabels
from napari_bonescint.formats.opening import open_scan
from napari_bonescint.formats.safe_reading.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pydicom.dataset import Dataset

TISSUE = Code("91723000", "SCT", "Anatomical Structure")
FEMUR, PELVIS, RIB = (
    Code("71341001", "SCT", "Femur"),
    Code("816092008", "SCT", "Pelvis"),
    Code("113197003", "SCT", "Rib"),
)
CUSTOM = [Code(f"L{number}", "99OTHER", name) for number, name in enumerate(("left leg", "right leg", "bladder"), 1)]
# Segments of another program come in its own order, not in that of our codes.
ORDER = (PELVIS, RIB, FEMUR)
IN_OUR_CODES = np.array([0, CODES["pelvis"], CODES["ribs"], CODES["femur"]], np.uint8)
MAPPING = RegionMapping("legs.csv", {"left leg": "femur", "right leg": "femur", "bladder": "background"})


@pytest.fixture
def source(write_nm: Callable[..., Path]) -> Path:
    # highdicom copies these from the source, and wants them to be there.
    copied = ("PatientSex", "StudyID", "StudyTime", "AccessionNumber", "ReferringPhysicianName")
    return write_nm(**dict.fromkeys(copied, ""))


def labels_of(source: Path, frame: int) -> np.ndarray:
    """A plane of segment numbers 0 to 3, the same for the same frame."""
    return np.random.default_rng(frame).integers(0, 4, open_scan(source).counts.shape[1:], np.uint8)


def write_seg(source: Path, folder: Path, codes: Sequence[Code], kind: str, frame: int) -> Path:
    """Have highdicom segment one frame of a scan.

    It segments no multi-frame NM image, so that it is shown a picture of that one frame, and told the true source then.
    """
    scan = dcmread(source)
    segments = [
        SegmentDescription(
            segment_number=number,
            segment_label=code.meaning,
            segmented_property_category=TISSUE,
            segmented_property_type=code,
            algorithm_type=SegmentAlgorithmTypeValues.AUTOMATIC,
            algorithm_identification=AlgorithmIdentificationSequence("other", Code("123109", "DCM", "Manual"), "1"),
        )
        for number, code in enumerate(codes, start=1)
    ]
    seg = Segmentation(
        source_images=[_picture_of_one_frame(scan)],
        pixel_array=labels_of(source, frame)[None],
        segmentation_type=kind,
        segment_descriptions=segments,
        series_instance_uid=generate_uid(),
        series_number=9,
        sop_instance_uid=generate_uid(),
        instance_number=frame,
        manufacturer="other",
        manufacturer_model_name="other",
        software_versions="1",
        device_serial_number="1",
    )
    for group in seg.PerFrameFunctionalGroupsSequence:
        for derivation in group.DerivationImageSequence:
            for image in derivation.SourceImageSequence:
                image.ReferencedSOPClassUID = scan.SOPClassUID
                image.ReferencedFrameNumber = frame
    path = folder / f"{kind}-{frame}.dcm"
    seg.save_as(path)
    return path


def _picture_of_one_frame(scan: Dataset) -> Dataset:
    picture = dcmread(scan.filename)
    picture.SOPClassUID = picture.file_meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    picture.PixelData = scan.pixel_array[0].tobytes()
    del picture.NumberOfFrames
    return picture


@pytest.mark.parametrize("kind", ["LABELMAP", "BINARY"])
def test_segments_are_told_by_their_codes_whatever_their_order(source: Path, tmp_path: Path, kind: str) -> None:
    scan = open_scan(source)
    # A file for each view, the posterior one first: each lies on the frame that it refers to.
    masks = [read_dicom_seg(write_seg(source, tmp_path, ORDER, kind, frame), scan=scan) for frame in (2, 1)]
    mask = lay_on(scan, masks)
    assert mask.names_regions
    np.testing.assert_array_equal(mask.regions, IN_OUR_CODES[[labels_of(source, 1), labels_of(source, 2)]])


@pytest.mark.parametrize("kind", ["LABELMAP", "BINARY"])
def test_codes_of_another_program_need_a_mapping(source: Path, tmp_path: Path, kind: str) -> None:
    scan = open_scan(source)
    path = write_seg(source, tmp_path, CUSTOM, kind, 1)
    with pytest.raises(UnmappedLabels, match="left leg, right leg, bladder"):
        read_dicom_seg(path, scan=scan)
    mask = read_dicom_seg(path, MAPPING, scan)
    expected = np.array([0, CODES["femur"], CODES["femur"], 0])[labels_of(source, 1)]
    np.testing.assert_array_equal(mask.regions[0], expected)
    assert mask.views == scan.views[:1]


def test_a_mask_of_another_scan_is_refused(source: Path, tmp_path: Path, write_nm: Callable[..., Path]) -> None:
    path = write_seg(source, tmp_path, ORDER, "LABELMAP", 1)
    with pytest.raises(MaskDoesNotFit, match="another image"):
        read_dicom_seg(path, scan=open_scan(write_nm("other.dcm")))


def test_a_segmentation_of_more_images_than_a_scan_has_is_one_sentence(source: Path, tmp_path: Path) -> None:
    path = write_seg(source, tmp_path, ORDER, "BINARY", 1)
    seg = dcmread(path)
    for frame, group in enumerate(seg.PerFrameFunctionalGroupsSequence, start=1):
        group.DerivationImageSequence[0].SourceImageSequence[0].ReferencedFrameNumber = frame
    seg.save_as(path)
    with pytest.raises(
        Refusal, match=r"^BINARY-1.dcm: The file refers to 3 images; a mask has one plane for each view"
    ):
        read_dicom_seg(path)
