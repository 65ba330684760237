"""Damaged scans of the kinds that end, stop or bloat the process that reads them."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pydicom
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import JPEG2000Lossless, JPEGLosslessSV1, JPEGLSLossless, RLELossless

from dicom_files import ANTERIOR, nm_dataset, save, some_counts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def change_stream(path: Path, syntax: str, change: Callable[[bytearray], None]) -> Path:
    """A scan of one view whose compressed stream was changed."""
    save(nm_dataset(some_counts(1), views=(ANTERIOR,)), path, syntax)
    ds = pydicom.dcmread(path)
    (stream,) = generate_frames(ds.PixelData, number_of_frames=1)
    changed = bytearray(stream)
    change(changed)
    ds.PixelData = encapsulate([bytes(changed)])
    ds.save_as(path)
    return path


def _more_huffman_codes(stream: bytearray) -> None:
    # The length of the second segment, a Huffman table: gdcm aborts.
    stream[15] ^= 1


def _another_precision(stream: bytearray) -> None:
    # Bits a value, in the start of the frame: gdcm reads outside its memory.
    stream[6] ^= 1


def _absurd_size(stream: bytearray) -> None:
    # Width and height of the image and of its tile (T.800, table A.9).
    stream[8:16] = stream[24:32] = struct.pack(">2I", 60_000, 60_000)


def _expand(stream: bytearray) -> None:
    # RLE: two bytes make 128.
    stream[64:] = b"\x81\x07" * 5_000_000


def write_aborting(path: Path) -> Path:
    """Lossless JPEG with one flipped bit, on which gdcm ends the process."""
    return change_stream(path, JPEGLosslessSV1, _more_huffman_codes)


DAMAGED: dict[str, tuple[Callable[[Path], Path], str]] = {
    "abort": (write_aborting, "its decoder ended unexpectedly"),
    "crash": (lambda path: change_stream(path, JPEGLosslessSV1, _another_precision), "its decoder ended unexpectedly"),
    "JPEG-LS": (lambda path: change_stream(path, JPEGLSLossless, _another_precision), "damaged"),
    "JPEG 2000": (lambda path: change_stream(path, JPEG2000Lossless, _absurd_size), "60000 x 60000 x 1 in 1 tile and"),
    "RLE": (lambda path: change_stream(path, RLELossless, _expand), "more bytes than an uncompressed one"),
}
"""How to write each, and what the sentence says."""
