"""Padding, undershoot of lossy compression, and bits that should not be there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom.data import get_testdata_file
from pydicom.pixels import compress
from pydicom.uid import JPEG2000, ImplicitVRLittleEndian, RLELossless

from dicom_files import nm_dataset, save, some_counts
from napari_bonescint.formats.dicom.nuclear_medicine import read_nuclear_medicine
from napari_bonescint.formats.dicom.source_views import find_views
from napari_bonescint.formats.opening import open_scan
from napari_bonescint.formats.safe_reading.refusal import Refusal

PADDED = "Pixels that the file marks as padding, outside the image, were taken as 0 counts."
VALUE, LIMIT = 0x00280120, 0x00280121


def framed(value, dtype) -> tuple[np.ndarray, np.ndarray]:
    """Counts with a frame of padding around them, and with a frame of zeros."""
    counts = some_counts(2).astype(np.int64)
    edge = np.ones(counts.shape, bool)
    edge[:, 6:-6, 4:-4] = False
    return np.where(edge, value, counts).astype(dtype), np.where(edge, 0, counts).astype(dtype)


PADDINGS = {
    "largest": (65535, np.uint16, {VALUE: ("US", 65535)}),
    "negative": (-2000, np.int16, {VALUE: ("SS", -2000)}),
    "negative, typed without a sign": (-2000, np.int16, {VALUE: ("US", 63536)}),
    "without a sign, typed negative": (65535, np.uint16, {VALUE: ("SS", -1)}),
    "first of a range": (-2000, np.int16, {VALUE: ("SS", -2000), LIMIT: ("SS", -1)}),
    "inside a range": (-1000, np.int16, {VALUE: ("SS", -2000), LIMIT: ("SS", -1)}),
    "inside a range from above": (60000, np.uint16, {VALUE: ("US", 65535), LIMIT: ("US", 50000)}),
    "8 bits": (255, np.uint8, {VALUE: ("US", 255)}),
}


@pytest.mark.parametrize("case", PADDINGS)
@pytest.mark.parametrize("syntax", [None, ImplicitVRLittleEndian, RLELossless])
def test_padding_is_no_counts(tmp_path, case, syntax):
    value, dtype, attributes = PADDINGS[case]
    padded, plain = framed(value, dtype)
    ds = nm_dataset(padded)
    for tag, (vr, stated) in attributes.items():
        ds.add_new(tag, vr, stated)
    scan = read_nuclear_medicine(save(ds, tmp_path / "padded.dcm", *([syntax] if syntax else [])))
    np.testing.assert_array_equal(scan.counts, plain)
    assert scan.counts.dtype == dtype
    assert scan.warnings == (PADDED,)


@pytest.mark.parametrize("value", [np.nan, -1.0, 1e6])
def test_padding_of_floating_point_pixels(tmp_path, value):
    counts = some_counts(2).astype(np.float32)
    counts[:, :6] = value
    ds = nm_dataset(some_counts(2))
    del ds.PixelData
    ds.FloatPixelData, ds.BitsAllocated, ds.FloatPixelPaddingValue = counts.tobytes(), 32, value
    scan = read_nuclear_medicine(save(ds, tmp_path / "float.dcm"))
    assert not scan.counts[:, :6].any()
    np.testing.assert_array_equal(scan.counts[:, 6:], counts[:, 6:])


def test_padding_of_0_and_a_limit_alone_change_nothing(write_nm):
    for attributes in ({"PixelPaddingValue": 0}, {"PixelPaddingRangeLimit": 100}, {"PixelPaddingValue": 60000}):
        scan = read_nuclear_medicine(write_nm(**attributes))
        np.testing.assert_array_equal(scan.counts, some_counts(2))
        assert scan.warnings == ()


def test_nothing_but_padding_is_no_scan(write_nm):
    with pytest.raises(Refusal, match="holds only zeros"):
        read_nuclear_medicine(write_nm(PixelPaddingValue=0, PixelPaddingRangeLimit=1000))


@pytest.mark.parametrize("split", [False, True])
def test_views_are_found_again_in_a_padded_file(tmp_path, split):
    padded, _ = framed(65535, np.uint16)
    ds = nm_dataset(padded[:1] if split else padded, *([(None,)] if split else []))
    ds.PixelPaddingValue = 65535
    path = save(ds, tmp_path / "padded.dcm")
    scan = open_scan(path, split_sides=split)
    assert [view.frame for view in find_views(scan).views] == ([1, 1] if split else [1, 2])


# Lossy compression


def test_undershoot_is_clipped_and_told():
    # NEMA WG04 "NM1" at 2097:1; its lossless twin sums to 3,596,452.
    path = get_testdata_file("JPEG2000.dcm", download=False)
    scan = open_scan(Path(path))
    assert scan.counts.min() == 0
    assert int(scan.counts.sum()) == pytest.approx(3_596_452, rel=0.2)
    told = [warning for warning in scan.warnings if "below zero" in warning]
    assert [warning.split(";")[0] for warning in told] == ["Lossy compression left 39921 pixels below zero"]


def test_negative_pixels_of_a_lossless_file_and_too_low_ones_are_refused(tmp_path):
    counts = some_counts(2).astype(np.int16)
    counts[0, 3, 4] = -3
    for lossy, low, refused in ((False, -3, True), (True, -3, False), (True, -1000, True)):
        counts[0, 3, 4] = low
        ds = nm_dataset(counts)
        ds.LossyImageCompression = "01" if lossy else "00"
        path = save(ds, tmp_path / "low.dcm")
        if refused:
            with pytest.raises(Refusal, match="negative pixels"):
                read_nuclear_medicine(path)
        else:
            scan = read_nuclear_medicine(path)
            assert scan.counts[0, 3, 4] == 0
            assert "left 1 pixel below zero; 0 was taken instead." in scan.warnings[-1]


def test_undershoot_whose_sign_the_header_denies(tmp_path):
    counts = some_counts(2).astype(np.int16)
    counts[:, 20:40, 10:20] = 3000
    ds = nm_dataset(counts)
    save(ds, tmp_path / "scan.dcm")
    compress(ds, JPEG2000, j2k_cr=[60], generate_instance_uid=False)
    scans = []
    for signed in (1, 0):
        ds.PixelRepresentation = signed
        ds.save_as(tmp_path / "scan.dcm")
        scans.append(read_nuclear_medicine(tmp_path / "scan.dcm"))
    assert scans[0].counts.max() < 5000
    np.testing.assert_array_equal(scans[1].counts, scans[0].counts)
    assert scans[1].counts.dtype == np.uint16
    assert scans[1].warnings == scans[0].warnings
    assert "below zero" in scans[0].warnings[1]


# Bits


@pytest.mark.parametrize("syntax", [None, RLELossless])
@pytest.mark.parametrize("dtype", [np.uint16, np.int16])
def test_bits_above_those_stored_are_kept_and_told(tmp_path, syntax, dtype):
    counts = some_counts(2).astype(dtype)
    counts[0, 30:33, 10] = 5000
    ds = nm_dataset(counts)
    ds.BitsStored, ds.HighBit = 12, 11
    scan = read_nuclear_medicine(save(ds, tmp_path / "bits.dcm", *([syntax] if syntax else [])))
    np.testing.assert_array_equal(scan.counts, counts)
    told = "Bits above the 12 of Bits Stored hold values in 3 pixels; they were taken as part of the counts."
    assert scan.warnings == (told,)


def test_an_overlay_in_the_pixels_is_left_out_and_told(tmp_path):
    counts = some_counts(2)
    ds = nm_dataset(np.where(np.arange(32) == 7, counts + 0x8000, counts).astype(np.uint16))
    ds.BitsStored, ds.HighBit = 12, 11
    ds.add_new(0x60000102, "US", 15)
    scan = read_nuclear_medicine(save(ds, tmp_path / "overlay.dcm"))
    np.testing.assert_array_equal(scan.counts, counts)
    told = "Bits above the 12 of Bits Stored hold values in 128 pixels; they hold an overlay and were left out."
    assert scan.warnings == (told,)


def test_bits_that_hold_a_sign_or_nothing_are_not_told(tmp_path):
    counts = some_counts(2).astype(np.int16)
    ds = nm_dataset(counts)
    ds.BitsStored, ds.HighBit = 12, 11
    assert read_nuclear_medicine(save(ds, tmp_path / "a.dcm")).warnings == ()
    counts[0, 0] = -5
    ds = nm_dataset(counts)
    ds.BitsStored, ds.HighBit, ds.PixelPaddingValue = 12, 11, -5
    assert read_nuclear_medicine(save(ds, tmp_path / "b.dcm")).warnings == (PADDED,)
