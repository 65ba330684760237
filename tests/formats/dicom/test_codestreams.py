"""The size that compressed streams state, as the encoders of others wrote it."""

from __future__ import annotations

import struct

import pydicom
import pytest
from pydicom.uid import JPEG2000Lossless, JPEGLosslessSV1, JPEGLSLossless, RLELossless

from dicom_files import ANTERIOR, some_counts
from napari_bonescint.formats.dicom.codestreams import StreamSize, stated_size


@pytest.fixture
def stream(write_nm):
    def encode(syntax):
        ds = pydicom.dcmread(write_nm(counts=some_counts(1, 48, 40), views=(ANTERIOR,), syntax=syntax))
        (found,) = pydicom.encaps.generate_frames(ds.PixelData, number_of_frames=1)
        return found

    return encode


@pytest.mark.parametrize("syntax", [JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless], ids=lambda uid: uid.name)
def test_size_of_a_whole_stream(stream, syntax):
    stated = stated_size(stream(syntax))
    assert stated == StreamSize(48, 40, 1, 1)
    assert stated.fits(48, 40)
    assert not stated.fits(40, 48)


def test_streams_of_other_kinds_and_cut_off_ones_say_nothing(stream):
    jpeg, jpeg_2000 = stream(JPEGLosslessSV1), stream(JPEG2000Lossless)
    for content in (b"", stream(RLELossless), jpeg[:4], jpeg[:9], jpeg_2000[:30], jpeg_2000[:4]):
        assert stated_size(content) is None


def test_an_absurd_number_of_tiles_or_of_values_a_pixel_does_not_fit(stream):
    content = bytearray(stream(JPEG2000Lossless))
    start = content.index(b"\xff\x4f\xff\x51")
    # Size of a tile, then how many values a pixel has: T.800, table A.9.
    content[start + 24 : start + 32] = struct.pack(">2I", 1, 1)
    assert stated_size(bytes(content)) == StreamSize(48, 40, 1, 48 * 40)
    assert not stated_size(bytes(content)).fits(48, 40)
    content[start + 24 : start + 32] = struct.pack(">2I", 0, 1)
    assert stated_size(bytes(content)) is None
    content[start + 24 : start + 42] = struct.pack(">4IH", 40, 48, 0, 0, 16384)
    assert stated_size(bytes(content)) == StreamSize(48, 40, 16384)
    assert not stated_size(bytes(content)).fits(48, 40)
