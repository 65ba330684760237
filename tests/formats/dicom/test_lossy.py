"""Lossy compression is told, whether the file says so or its syntax or stream alone."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.pixels import compress
from pydicom.uid import (
    JPEG2000,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from dicom_files import nm_dataset, save, some_counts
from napari_bonescint.formats.dicom.header import read_header
from napari_bonescint.formats.dicom.lossy import is_lossy
from napari_bonescint.formats.dicom.nuclear_medicine import read_nuclear_medicine

LOSSY = "The image was stored with lossy compression, so its values are not exactly the acquired counts."
PERHAPS = "The image may have been stored with lossy compression, so its values may not be exactly the acquired counts."


def jpeg(tmp_path, syntax=JPEGBaseline8Bit, **attributes):
    frames = some_counts(2).astype(np.uint8)
    ds = nm_dataset(frames)
    streams = []
    for frame in frames:
        stream = io.BytesIO()
        Image.fromarray(frame).save(stream, "JPEG", quality=60)
        streams.append(stream.getvalue())
    return compressed(ds, streams, syntax, tmp_path, attributes)


def compressed(ds, streams, syntax, tmp_path, attributes):
    for keyword, value in attributes.items():
        setattr(ds, keyword, value)
    path = save(ds, tmp_path / "lossy.dcm")
    ds.PixelData = encapsulate(streams)
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    ds.file_meta.TransferSyntaxUID = syntax
    ds.save_as(path, enforce_file_format=True)
    return path


@pytest.mark.parametrize("stated", [{}, {"LossyImageCompression": "00"}, {"LossyImageCompression": "01"}])
def test_jpeg_baseline_is_lossy_whatever_the_file_says(tmp_path, stated):
    path = jpeg(tmp_path, **stated)
    scan = read_nuclear_medicine(path)
    assert scan.warnings == (LOSSY,)
    assert 0 < np.abs(scan.counts.astype(int) - some_counts(2)).max() < 20
    # Without the pixels the syntax tells it.
    assert is_lossy(read_header(path))


@pytest.mark.parametrize(
    "stated",
    [
        {"LossyImageCompression": "01"},
        {"LossyImageCompressionRatio": "10"},
        {"LossyImageCompressionMethod": "ISO_10918_1"},
    ],
)
def test_a_file_that_was_lossy_once_stays_so(write_nm, stated):
    assert read_nuclear_medicine(write_nm(**stated)).warnings == (LOSSY,)


@pytest.mark.parametrize("syntax", [None, RLELossless, JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless])
def test_lossless_files_are_not_warned_about(write_nm, syntax):
    assert read_nuclear_medicine(write_nm(syntax=syntax)).warnings == ()


@pytest.mark.parametrize(
    ("stated", "told"), [(None, (PERHAPS,)), ("00", ()), ("01", (LOSSY,))], ids=["silent", "lossless", "lossy"]
)
def test_a_reversible_stream_in_a_syntax_that_may_be_lossy(tmp_path, stated, told):
    ds = nm_dataset(some_counts(2))
    save(ds, tmp_path / "scan.dcm", JPEG2000Lossless)
    ds.file_meta.TransferSyntaxUID = JPEG2000
    if stated:
        ds.LossyImageCompression = stated
    ds.save_as(tmp_path / "scan.dcm")
    scan = read_nuclear_medicine(tmp_path / "scan.dcm")
    np.testing.assert_array_equal(scan.counts, some_counts(2))
    assert scan.warnings == told


@pytest.mark.parametrize("syntax", [JPEG2000, JPEG2000Lossless])
def test_an_irreversible_stream_is_lossy_in_any_syntax(tmp_path, syntax):
    streams = []
    for frame in some_counts(2):
        stream = io.BytesIO()
        Image.fromarray(frame).save(stream, "JPEG2000", irreversible=True, no_jp2=True)
        streams.append(stream.getvalue())
    path = compressed(nm_dataset(some_counts(2)), streams, syntax, tmp_path, {"LossyImageCompression": "00"})
    assert LOSSY in read_nuclear_medicine(path).warnings


def test_a_file_that_pydicom_compressed_to_a_size(tmp_path):
    ds = nm_dataset(some_counts(2))
    save(ds, tmp_path / "scan.dcm")
    compress(ds, JPEG2000, j2k_cr=[5], generate_instance_uid=False)
    ds.save_as(tmp_path / "scan.dcm")
    assert read_nuclear_medicine(tmp_path / "scan.dcm").warnings == (LOSSY,)


@pytest.mark.parametrize(("error", "told"), [(0, ()), (2, (LOSSY,))])
def test_jpeg_ls_says_in_its_stream_how_far_values_may_be_off(tmp_path, error, told):
    ds = nm_dataset(some_counts(2))
    save(ds, tmp_path / "scan.dcm")
    compress(ds, JPEGLSNearLossless, jls_error=error, generate_instance_uid=False)
    ds.save_as(tmp_path / "scan.dcm")
    scan = read_nuclear_medicine(tmp_path / "scan.dcm")
    assert scan.warnings == told
    assert np.abs(scan.counts.astype(int) - some_counts(2)).max() <= error
