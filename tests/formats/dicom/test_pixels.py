"""Transfer syntaxes, and pixels that are cut off, missing or no counts."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from dicom_files import ANTERIOR, nm_dataset, save, some_counts
from napari_bonescint.formats.dicom.nuclear_medicine import read_nuclear_medicine
from napari_bonescint.formats.safe_reading.refusal import Refusal


@pytest.mark.parametrize(
    "syntax",
    [
        ImplicitVRLittleEndian,
        ExplicitVRLittleEndian,
        ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
        RLELossless,
        JPEGLossless,
        JPEGLosslessSV1,
        JPEGLSLossless,
        JPEG2000Lossless,
    ],
    ids=lambda syntax: syntax.name,
)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16"])
def test_transfer_syntaxes(write_nm, syntax, dtype, capfd):
    counts = some_counts(2).astype(dtype)
    path = write_nm(counts=counts, syntax=syntax)
    assert pydicom.dcmread(path).file_meta.TransferSyntaxUID == syntax
    scan = read_nuclear_medicine(path)
    np.testing.assert_array_equal(scan.counts, counts)
    assert scan.counts.dtype == np.dtype(dtype)
    assert capfd.readouterr() == ("", "")


def test_32_bit_and_floating_point_counts(write_nm, tmp_path):
    wide = some_counts(2).astype(np.uint32) + 70_000
    np.testing.assert_array_equal(read_nuclear_medicine(write_nm(counts=wide)).counts, wide)
    ds = nm_dataset(wide)
    del ds.PixelData
    ds.FloatPixelData = wide.astype(np.float32).tobytes()
    scan = read_nuclear_medicine(save(ds, tmp_path / "float.dcm"))
    np.testing.assert_array_equal(scan.counts, wide)


@pytest.mark.parametrize(
    ("counts", "reason"),
    [
        (np.zeros((2, 64, 32), np.uint16), "holds only zeros"),
        (np.full((2, 64, 32), 7, np.uint16), "one value in every pixel"),
        (some_counts(2).astype(np.int16) - 100, "negative pixels"),
    ],
)
def test_pixels_that_are_no_counts(write_nm, counts, reason):
    with pytest.raises(Refusal, match=reason):
        read_nuclear_medicine(write_nm(counts=counts))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_pixels_that_are_no_numbers(tmp_path, value):
    ds = nm_dataset(some_counts(2))
    pixels = some_counts(2).astype(np.float32)
    pixels[0, 3, 4] = value
    del ds.PixelData
    ds.FloatPixelData, ds.BitsAllocated = pixels.tobytes(), 32
    with pytest.raises(Refusal, match="not numbers"):
        read_nuclear_medicine(save(ds, tmp_path / "nan.dcm"))


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.4.102", "1.2.3.4.5"])
def test_undecodable_transfer_syntax(write_nm, syntax):
    path = write_nm(syntax=JPEGLosslessSV1)
    ds = pydicom.dcmread(path)
    ds.file_meta.TransferSyntaxUID = syntax
    ds.save_as(path, enforce_file_format=False, implicit_vr=False, little_endian=True)
    with pytest.raises(Refusal, match="cannot be decoded; export the image uncompressed"):
        read_nuclear_medicine(path)


def test_pixels_that_are_not_in_their_transfer_syntax(write_nm):
    path = write_nm(syntax=RLELossless)
    ds = pydicom.dcmread(path)
    ds.file_meta.TransferSyntaxUID = JPEGLosslessSV1
    ds.save_as(path)
    with pytest.raises(Refusal, match="cannot be decoded"):
        read_nuclear_medicine(path)


@pytest.mark.parametrize("syntax", [JPEGLosslessSV1, JPEG2000Lossless, JPEGLSLossless, RLELossless])
@pytest.mark.parametrize("kept", [0.99, 0.6])
def test_compressed_file_cut_off(write_nm, syntax, kept):
    path = write_nm(syntax=syntax)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(Refusal, match="cut off"):
        read_nuclear_medicine(path)


@pytest.mark.parametrize("syntax", [JPEGLosslessSV1, JPEG2000Lossless, JPEGLSLossless])
def test_stream_cut_off_inside_a_whole_file(write_nm, syntax):
    path = write_nm(views=(ANTERIOR,), syntax=syntax)
    ds = pydicom.dcmread(path)
    (stream,) = pydicom.encaps.generate_frames(ds.PixelData, number_of_frames=1)
    ds.PixelData = pydicom.encaps.encapsulate([stream[: len(stream) // 2]])
    ds.save_as(path)
    with pytest.raises(Refusal, match="pixel data is cut off"):
        read_nuclear_medicine(path)


@pytest.mark.parametrize(
    ("wrong", "value"), [("BitsStored", 20), ("BitsStored", None), ("BitsAllocated", 12), ("PixelRepresentation", None)]
)
def test_uncompressed_pixels_that_nobody_can_read_are_told_for_what_they_are(write_nm, wrong, value):
    with pytest.raises(Refusal, match=r"(Bits|Pixel) \w+ is missing or impossible, so the pixels cannot be read"):
        read_nuclear_medicine(write_nm(**{wrong: value}))


@pytest.mark.parametrize("keyword", ["NumberOfFrames", "PhotometricInterpretation", "SamplesPerPixel"])
def test_a_nested_sequence_in_place_of_what_is_known_otherwise(tmp_path, keyword):
    ds = nm_dataset(some_counts(2))
    ds[keyword] = pydicom.DataElement(keyword, "SQ", [pydicom.Dataset()])
    np.testing.assert_array_equal(read_nuclear_medicine(save(ds, tmp_path / "odd.dcm")).counts, some_counts(2))


def test_a_kind_of_colour_that_is_none_is_not_quoted(write_nm):
    with pytest.raises(Refusal, match=r"The image is in colour; only grey"):
        read_nuclear_medicine(write_nm(PhotometricInterpretation="DOE JANE"))
