"""Limits are checked before anything is allocated, and named."""

from __future__ import annotations

import gzip
import io
import tracemalloc
import zlib
from pathlib import Path

import pytest

from napari_bonescint.formats.safe_reading import budget
from napari_bonescint.formats.safe_reading.budget import (
    Metered,
    OverBudget,
    gunzipped,
    metered,
    require_pixels,
    require_small_when_inflated,
)

FILE = Path("scan.dcm")


def test_the_largest_scan_is_read_and_no_larger_one():
    require_pixels(FILE, 2, 2000, 8000, bytes_a_pixel=4)
    with pytest.raises(
        OverBudget, match=r"^scan\.dcm: The image is 8001 x 2000 x 2 pixels, larger .*at most 32 million"
    ):
        require_pixels(FILE, 2, 2000, 8001)
    with pytest.raises(OverBudget, match=r"more than 128 MB"):
        require_pixels(FILE, 2, 2000, 8000, bytes_a_pixel=8)


def test_a_stream_reads_as_its_file_does():
    stream = Metered(FILE, b"0123456789")
    assert stream.read(3) == b"012"
    assert stream.tell() == 3
    assert stream.seek(-2, io.SEEK_END) == 8
    assert stream.read() == b"89"
    assert stream.read(5) == b""
    stream.seek(4)
    buffer = bytearray(3)
    assert (stream.readinto(buffer), bytes(buffer)) == (3, b"456")


def test_nothing_is_allocated_for_what_is_not_there(tmp_path):
    (tmp_path / "short").write_bytes(b"12345678")
    with (tmp_path / "short").open("rb") as file:
        tracemalloc.start()
        assert Metered(FILE, file).read(2**31) == b"12345678"
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 2**20


def read_for_ever(stream):
    while True:
        stream.seek(0)
        stream.read(100)


def test_who_reads_in_circles_is_stopped(monkeypatch):
    with pytest.raises(OverBudget, match=r"^scan\.dcm: Reading the file takes more than 1 MB of it"):
        read_for_ever(Metered(FILE, bytes(100)))
    monkeypatch.setattr(budget, "MOST_READS", 1000)
    with pytest.raises(OverBudget, match="more than 1,000 parts"):
        read_for_ever(Metered(FILE, bytes(100)))
    monkeypatch.setattr(budget, "MOST_SECONDS", 0.0)
    with pytest.raises(OverBudget, match="more than 0 seconds"):
        read_for_ever(Metered(FILE, bytes(100)))


def test_a_library_that_hides_that_it_was_stopped_does_not_get_away_with_it(monkeypatch):
    monkeypatch.setattr(budget, "MOST_READS", 10)

    def read_and_hide(error):
        with metered(FILE, bytes(100)) as stream:
            try:
                read_for_ever(stream)
            except OverBudget:
                if error is not None:
                    raise error from None

    for error in (None, OSError("no tag to read")):
        with pytest.raises(OverBudget, match="more than 10 parts"):
            read_and_hide(error)


def test_errors_of_a_library_pass():
    with pytest.raises(OSError, match="odd"), metered(FILE, bytes(100)):
        raise OSError("odd")


def test_what_inflates_to_too_much_is_refused(monkeypatch):
    monkeypatch.setattr(budget, "MOST_INFLATED_BYTES", 2**21)
    for size, refused in ((2**21, False), (2**21 + 1, True)):
        content = zlib.compress(bytes(size))
        if refused:
            with pytest.raises(OverBudget, match="inflates to more than 2 MB"):
                require_small_when_inflated(FILE, content, zlib.decompressobj())
        else:
            require_small_when_inflated(FILE, content + b"more", zlib.decompressobj())
    require_small_when_inflated(FILE, b"not deflated at all", zlib.decompressobj())


def test_gzipped_pieces_are_joined_up_to_a_number_of_them():
    few = gzip.compress(b"one") + gzip.compress(b"two") + bytes(512)
    assert gunzipped(FILE, few) == b"onetwo"
    with pytest.raises(OverBudget, match="gzipped in more than 64 pieces"):
        gunzipped(FILE, gzip.compress(b"") * 100_000)
    with pytest.raises(EOFError):
        gunzipped(FILE, few[:30])
