"""Read the image size that a compressed stream states, without decoding it: JPEG, JPEG-LS and JPEG 2000.

Decoders allocate memory for the size in the stream, whatever the file states.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

# Markers of ITU-T T.81 (table B.1), T.87 (SOF 55) and T.800 (table A.2).
_JPEG_START = b"\xff\xd8"
_JPEG_2000_START = b"\xff\x4f\xff\x51"
_JP2_START = b"\x00\x00\x00\x0cjP  "
_START_OF_FRAME = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}
_START_OF_SCAN = 0xDA
_MOST_TILES = 1024


class StreamSize(NamedTuple):
    """Rows, columns, values a pixel (samples) and separately decoded tiles of a stream; only JPEG 2000 has tiles."""

    rows: int
    columns: int
    samples: int
    tiles: int = 1

    def fits(self, rows: int, columns: int) -> bool:
        """True if the stream has one grey value a pixel, this size, and a possible number of tiles."""
        return (self.rows, self.columns, self.samples) == (rows, columns, 1) and 1 <= self.tiles <= _MOST_TILES


def stated_size(stream: bytes) -> StreamSize | None:
    """The size that a stream states; None for another format, or if damage hides the size."""
    try:
        if stream.startswith(_JPEG_START):
            return _jpeg_size(stream)
        if stream.startswith(_JP2_START):
            stream = stream[stream.index(_JPEG_2000_START) :]
        if stream.startswith(_JPEG_2000_START):
            return _jpeg_2000_size(stream)
    except (struct.error, IndexError, ValueError):
        return None
    return None


def _jpeg_size(stream: bytes) -> StreamSize | None:
    at = 2
    while at + 4 <= len(stream) and stream[at] == 0xFF:
        marker = stream[at + 1]
        if marker == 0xFF:  # filling
            at += 1
            continue
        if marker in _START_OF_FRAME:
            rows, columns, samples = struct.unpack_from(">HHB", stream, at + 5)
            return StreamSize(rows, columns, samples)
        if marker == _START_OF_SCAN:
            return None
        at += 2 + int(struct.unpack_from(">H", stream, at + 2)[0])
    return None


def _jpeg_2000_size(stream: bytes) -> StreamSize | None:
    right, bottom, left, top, tile_width, tile_height, tile_left, tile_top, samples = struct.unpack_from(
        ">8IH", stream, 8
    )
    if tile_width == 0 or tile_height == 0:
        return None
    across = -(-(right - tile_left) // tile_width)
    down = -(-(bottom - tile_top) // tile_height)
    return StreamSize(bottom - top, right - left, samples, across * down)
