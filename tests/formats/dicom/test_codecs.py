"""Compressed frames: which decoder reads them, and what damaged ones cost."""

from __future__ import annotations

import time
from contextlib import suppress

import numpy as np
import psutil
import pydicom
import pytest
from pydicom.uid import JPEG2000Lossless, JPEGLosslessSV1, RLELossless

from damaged_files import DAMAGED, write_aborting
from dicom_files import some_counts
from napari_bonescint.formats.dicom.nuclear_medicine import read_nuclear_medicine
from napari_bonescint.formats.safe_reading.decoder_process import DECODER
from napari_bonescint.formats.safe_reading.refusal import Refusal


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_damaged_stream_is_one_sentence_and_the_next_file_is_read(tmp_path, write_nm, kind):
    write, reason = DAMAGED[kind]
    path = write(tmp_path / "odd.dcm")
    began, before = time.thread_time(), psutil.Process().memory_info().rss
    with pytest.raises(Refusal, match=rf"^odd\.dcm: The [^\n]*{reason}[^\n]*\.$"):
        read_nuclear_medicine(path)
    assert time.thread_time() - began < 2
    assert psutil.Process().memory_info().rss - before < 2**27
    np.testing.assert_array_equal(read_nuclear_medicine(write_nm(syntax=JPEGLosslessSV1)).counts, some_counts(2))


def test_jpeg_2000_is_not_decoded_by_the_decoder_that_aborts(tmp_path, write_nm):
    """The child that has read it is the one that was there before: gdcm would have ended it."""
    read_nuclear_medicine(write_nm(syntax=JPEG2000Lossless))
    before = DECODER.pid
    path = write_nm("odd.dcm", syntax=JPEG2000Lossless)
    content = path.read_bytes()
    at = content.index(b"\xff\x4f\xff\x51")
    for position in range(at + 42, at + 120, 3):
        path.write_bytes(content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :])
        with suppress(Refusal):
            read_nuclear_medicine(path)
    assert DECODER.pid == before


def test_uncompressed_pixels_need_no_other_process(write_nm):
    DECODER.close()
    read_nuclear_medicine(write_nm())
    assert DECODER.pid is None


def test_no_identity_reaches_the_decoding_process(tmp_path):
    with pytest.raises(Refusal) as found:
        read_nuclear_medicine(write_aborting(tmp_path / "odd.dcm"))
    assert "Secret" not in str(found.value)


def test_a_part_of_a_run_length_encoded_frame_is_not_taken_for_the_whole(write_nm):
    counts = some_counts(2)
    assert counts.shape[1] % 2 == 0
    path = write_nm(counts=counts, syntax=RLELossless)
    ds = pydicom.dcmread(path)
    ds.Rows //= 2
    ds.save_as(path)
    with pytest.raises(Refusal, match="cannot be decoded"):
        read_nuclear_medicine(path)
