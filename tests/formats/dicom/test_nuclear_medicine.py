"""Planar Nuclear Medicine images, as cameras and exports write them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.uid import (
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    SecondaryCaptureImageStorage,
)

from dicom_files import ANTERIOR, POSTERIOR, some_counts
from napari_bonescint.formats.dicom.nuclear_medicine import read_nuclear_medicine, read_planar_header
from napari_bonescint.formats.safe_reading.refusal import NotAPlanarScan, Refusal
from napari_bonescint.scan import NO_SPACING, VIEW_ASSUMED, ViewSource


def names(scan):
    return [view.name.value for view in scan.views]


def sources(scan):
    return [view.source for view in scan.views]


def test_two_views_come_as_acquired(write_nm):
    counts = some_counts(2)
    path = write_nm(counts=counts)
    scan = read_nuclear_medicine(path)
    assert names(scan) == ["anterior", "posterior"]
    assert sources(scan) == [ViewSource.FILE] * 2
    np.testing.assert_array_equal(scan.counts, counts)
    assert scan.counts.dtype == np.uint16
    assert scan.spacing == (2.4, 2.2)
    assert scan.warnings == ()
    assert scan.sources == (path,)
    assert scan.source_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_anterior_comes_first_however_the_file_orders_them(write_nm):
    counts = some_counts(2)
    scan = read_nuclear_medicine(write_nm(counts=counts, views=(POSTERIOR, ANTERIOR)))
    assert names(scan) == ["anterior", "posterior"]
    np.testing.assert_array_equal(scan.counts, counts[::-1])


@pytest.mark.parametrize("view", [ANTERIOR, POSTERIOR])
def test_single_view(write_nm, view):
    scan = read_nuclear_medicine(write_nm(views=(view,)))
    assert names(scan) == [view[2].split()[0].lower()]
    assert scan.counts.shape == (1, 64, 32)
    assert scan.warnings == ()


def test_real_whole_body_scan():
    # NEMA WG04 "NM1": its own header gives the counts; see the pydicom-data package.
    scan = read_nuclear_medicine(Path(get_testdata_file("JPEG-LL.dcm", download=False)))
    assert scan.counts.shape == (1, 1024, 256)
    assert scan.spacing == (2.26, 2.26)
    assert int(scan.counts.sum()) == 3_596_452 == scan.acquisition["counts_accumulated"]
    assert scan.acquisition["model"] == "MILLENNIUM MG"
    assert names(scan) == ["anterior"]
    assert sources(scan) == [ViewSource.ASSUMED]
    assert scan.warnings == (VIEW_ASSUMED,)
    assert "CompressedSamples" not in repr(scan)


def test_blank_view_beside_a_good_one_is_left_out(write_nm):
    counts = some_counts(2)
    counts[1] = 0
    scan = read_nuclear_medicine(write_nm(counts=counts))
    assert names(scan) == ["anterior"]
    assert scan.warnings == ("The posterior view is blank and was left out.",)


@pytest.mark.parametrize("spacing", [None, []])
def test_no_spacing_is_not_invented(write_nm, spacing):
    scan = read_nuclear_medicine(write_nm(PixelSpacing=spacing))
    assert scan.spacing is None
    assert scan.warnings == (NO_SPACING,)


def test_a_spacing_that_makes_a_scan_as_long_as_a_house_is_none(write_nm):
    scan = read_nuclear_medicine(write_nm(counts=some_counts(2, 256, 64), PixelSpacing=[22.6, 22.6]))
    assert scan.spacing is None
    told, unknown = scan.warnings
    assert told.startswith("A pixel spacing of 22.6 x 22.6 mm is impossible: the image would be 5.8 m long;")
    assert unknown == NO_SPACING


@pytest.mark.parametrize(
    "spacing", [[0, 0], [-2.4, 2.4], [2.4], [1e6, 1e6], [0.1, 0.1], [0.4, 0.4], [2.4, 24], [240, 2.4]]
)
def test_impossible_spacing_is_none(write_nm, spacing):
    scan = read_nuclear_medicine(write_nm(PixelSpacing=spacing))
    assert scan.spacing is None
    assert "impossible" in scan.warnings[0]
    assert scan.warnings[1] == NO_SPACING


def test_rescale_tags_are_not_applied_but_told(write_nm):
    scan = read_nuclear_medicine(write_nm(RescaleSlope="2", RescaleIntercept="10"))
    np.testing.assert_array_equal(scan.counts, some_counts(2))
    assert "RescaleSlope 2, RescaleIntercept 10" in scan.warnings[0]


def test_static_image_with_a_warning(write_nm):
    scan = read_nuclear_medicine(write_nm(ImageType=["ORIGINAL", "PRIMARY", "STATIC", "EMISSION"]))
    assert len(scan.views) == 2
    assert "Image Type is STATIC" in scan.warnings[0]


def test_lossy_and_inverted_images_are_told(write_nm):
    scan = read_nuclear_medicine(write_nm(LossyImageCompression="01", PhotometricInterpretation="MONOCHROME1"))
    np.testing.assert_array_equal(scan.counts, some_counts(2))
    assert "MONOCHROME1" in scan.warnings[0]
    assert "lossy" in scan.warnings[1]


def test_secondary_capture_of_nuclear_medicine(write_nm):
    path = write_nm(
        SOPClassUID=MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
        FrameIncrementPointer=None,
        EnergyWindowVector=None,
        DetectorVector=None,
    )
    np.testing.assert_array_equal(read_nuclear_medicine(path).counts, some_counts(2))


def test_secondary_capture_that_does_not_say_its_kind(write_nm):
    path = write_nm(views=(None,), SOPClassUID=SecondaryCaptureImageStorage, ImageType=["DERIVED", "SECONDARY"])
    scan = read_nuclear_medicine(path)
    assert "Image Type does not state a whole-body scan" in scan.warnings[0]
    assert scan.warnings[1] == VIEW_ASSUMED


@pytest.mark.parametrize(
    "kind", ["TOMO", "DYNAMIC", "GATED", "GATED TOMO", "RECON TOMO", "RECON GATED TOMO", "SCREEN SAVE"]
)
def test_other_image_types_are_refused_by_name(write_nm, kind):
    path = write_nm(ImageType=["ORIGINAL", "PRIMARY", kind, "EMISSION"])
    with pytest.raises(NotAPlanarScan) as refused:
        read_nuclear_medicine(path)
    assert str(refused.value) == (
        f"scan.dcm: Image Type is {kind}; only WHOLE BODY and STATIC planar images can be segmented."
    )


@pytest.mark.parametrize("modality", ["CT", "MR", "PT", "SR", "CR"])
def test_other_modalities_are_refused_by_name(write_nm, modality):
    with pytest.raises(NotAPlanarScan, match=f"^scan.dcm: Modality is {modality}; only nuclear medicine"):
        read_nuclear_medicine(write_nm(Modality=modality))


NOT_PLANAR = {
    "Image Type is TRANSMISSION": {"ImageType": ["ORIGINAL", "PRIMARY", "WHOLE BODY", "TRANSMISSION"]},
    r"in colour \(RGB\)": {"PhotometricInterpretation": "RGB", "SamplesPerPixel": 3},
    r"in colour \(PALETTE COLOR\)": {"PhotometricInterpretation": "PALETTE COLOR"},
    "holds a document": {"EncapsulatedDocument": b"%PDF-1.4"},
    "DICOM directory": {"SOPClassUID": "1.2.840.10008.1.3.10"},
    "names no modality": {"SOPClassUID": SecondaryCaptureImageStorage, "Modality": None},
    "holds no image": {"Rows": None},
    "time slices of a series": {"TimeSliceVector": [1, 2]},
}


@pytest.mark.parametrize("reason", NOT_PLANAR)
def test_what_is_no_planar_scan(write_nm, reason):
    path = write_nm(**NOT_PLANAR[reason])
    with pytest.raises(NotAPlanarScan, match=f"^scan.dcm: .*{reason}"):
        read_nuclear_medicine(path)
    with pytest.raises(NotAPlanarScan, match=reason):
        read_planar_header(path)


@pytest.mark.parametrize(
    "acquired",
    [
        {"EnergyWindowVector": [1, 1, 1, 1], "DetectorVector": [1, 2, 1, 2]},
        {"EnergyWindowVector": [1, 1, 2, 2], "DetectorVector": [1, 2, 1, 2]},
    ],
)
def test_header_and_whole_file_say_the_same(write_nm, acquired):
    path = write_nm(NumberOfFrames=None, **acquired)
    with pytest.raises(Refusal, match="it has 2 of 4 frames in whole"):
        read_nuclear_medicine(path)
    with pytest.raises(Refusal, match="it has 2 of 4 frames in whole"):
        read_planar_header(path)


BROKEN = {
    "encrypted": {"EncryptedAttributesSequence": [Dataset()]},
    "1 x 1 pixels, too small": {"Rows": 1, "Columns": 1},
    "65535 x 65535 pixels, larger than": {"Rows": 65535, "Columns": 65535},
    "32 x 0 pixels": {"Rows": 0},
    "has 65 frames": {"NumberOfFrames": 65, "EnergyWindowVector": [1] * 65, "DetectorVector": [1] * 65},
    "pixel data is cut off": {"PixelData": some_counts(2).tobytes()[:-2]},
    "holds no pixel data": {"PixelData": None},
}


@pytest.mark.parametrize("reason", BROKEN)
def test_what_is_broken(write_nm, reason):
    with pytest.raises(Refusal, match=reason) as refused:
        read_nuclear_medicine(write_nm(**BROKEN[reason]))
    assert not isinstance(refused.value, NotAPlanarScan)
    assert str(refused.value).startswith("scan.dcm: ")
