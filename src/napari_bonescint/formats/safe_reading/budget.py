"""What reading one file may cost in bytes, pixels, directories, seconds and memory, each checked before it is used.

A whole-body scan has half a million pixels in two to ten frames and takes a few megabytes. The limits lie far above
that, and far below what a computer has. Each refusal names its limit.
"""

from __future__ import annotations

import io
import os
import time
import zlib
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Protocol, cast

from napari_bonescint.formats.safe_reading.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

MOST_BYTES = 128 * 2**20
"""Of a file, and of its pixels once decoded."""
MOST_TABLE_BYTES = 8 * 2**20
"""Of a CSV table."""
MOST_INFLATED_BYTES = 128 * 2**20
"""Of a deflated or gzipped file, once inflated."""
MOST_GZIP_MEMBERS = 64
"""Pieces of a gzipped file that were compressed one by one: most writers make one, and a million take minutes."""
MOST_PIXELS = 32_000_000
"""In all frames or pages of a file together."""
MOST_DIRECTORIES = 512
"""Directories of a TIFF file; each page has one."""
MOST_VALUES = 2**20
"""Numbers in the tags of a TIFF file; bytes of a text."""
MOST_HEADER_BYTES = 64 * 2**20
"""Of all that is not pixels in a DICOM file."""
MOST_READS = 500_000
"""Pieces in which a library reads a file: at least one for each element or tag."""
MOST_MEMORY = 768 * 2**20
"""Bytes that the process of native decoders may take in all."""
MOST_SECONDS = 4.0
"""Of computing, to parse a file; what decoding may take is in `decoder_process`."""

_MB = 2**20
# As zlib numbers it: the largest window, with gzip's header and checksum.
_GZIP_FRAME = 16 + zlib.MAX_WBITS


class OverBudget(Refusal):
    """A file that would cost more than reading a scan may cost."""


def require_pixels(path: Path, *shape: int, bytes_a_pixel: float = 1) -> None:
    """Refuse, before anything is allocated, more pixels or bytes than any planar scan has.

    Parameters
    ----------
    path : Path
        The file, for the refusal.
    *shape : int
        Frames or pages, rows, columns, channels: all that the number of values is the product of.
    bytes_a_pixel : float
        Bytes of one value.

    Raises
    ------
    OverBudget
        If it is more than `MOST_PIXELS` values or `MOST_BYTES` bytes.
    """
    values = 1
    for length in shape:
        values *= max(0, int(length))
    if values > MOST_PIXELS:
        size = " x ".join(str(length) for length in reversed(shape) if length != 1)
        most = MOST_PIXELS // 1_000_000
        raise OverBudget(
            path, f"The image is {size} pixels, larger than any planar scan (at most {most} million in a file)."
        )
    if values * bytes_a_pixel > MOST_BYTES:
        raise OverBudget(path, f"The pixels take more than {MOST_BYTES // _MB} MB, the most that is read from a file.")


class Inflator(Protocol):
    """What `zlib.decompressobj` returns."""

    @property
    def eof(self) -> bool:
        """Whether the last byte has been inflated."""

    @property
    def unconsumed_tail(self) -> bytes:
        """What is left of the data."""

    def decompress(self, data: bytes, max_length: int = 0, /) -> bytes:
        """The next bytes, at most so many."""


def require_small_when_inflated(path: Path, content: bytes, inflator: Inflator) -> None:
    """Refuse bytes that inflate to more than `MOST_INFLATED_BYTES`; damaged ones are left to whoever inflates them."""
    inflated = 0
    with suppress(zlib.error):
        while content and not inflator.eof and inflated <= MOST_INFLATED_BYTES:
            inflated += len(inflator.decompress(content, _MB))
            content = inflator.unconsumed_tail
    if inflated > MOST_INFLATED_BYTES:
        raise OverBudget(
            path, f"The file inflates to more than {MOST_INFLATED_BYTES // _MB} MB, the most that is read from a file."
        )


def gunzipped(path: Path, content: bytes) -> bytes:
    """What gzipped bytes hold, if that is at most `MOST_INFLATED_BYTES` in `MOST_GZIP_MEMBERS` pieces.

    Raises
    ------
    OverBudget
        If it is more.
    EOFError, zlib.error
        If the bytes are cut off or damaged.
    """
    pieces: list[bytes] = []
    left = MOST_INFLATED_BYTES + 1
    while content:
        inflator = zlib.decompressobj(_GZIP_FRAME)
        pieces.append(inflator.decompress(content, left))
        left -= len(pieces[-1])
        if left <= 0:
            raise OverBudget(
                path, f"The file inflates to more than {MOST_INFLATED_BYTES // _MB} MB, the most that is read."
            )
        if not inflator.eof:
            raise EOFError
        if len(pieces) > MOST_GZIP_MEMBERS:
            raise OverBudget(path, f"The file is gzipped in more than {MOST_GZIP_MEMBERS} pieces; compress it again.")
        content = inflator.unused_data.lstrip(b"\0")
    return b"".join(pieces)


@contextmanager
def metered(path: Path, content: bytes) -> Iterator[BinaryIO]:
    """A `Metered` stream of bytes for a library that wants a file, and that may hide that it was stopped.

    Raises
    ------
    OverBudget
        At the end, if the library went over a limit, whatever it made of that.
    """
    stream = Metered(path, content)
    try:
        yield cast("BinaryIO", stream)
    except Exception as error:
        raise stream.exceeded or error from error.__cause__
    if stream.exceeded is not None:
        raise stream.exceeded


class Metered(io.RawIOBase):
    """A stream for a library to parse, which ends in a refusal when that reads too much, too often or for too long.

    A library that goes round in circles reads as it goes, so this ends endless loops, too.

    Parameters
    ----------
    path : Path
        The file, for the refusal.
    source : bytes or binary file
        What is read.
    most_bytes : int, optional
        So many may be read in all, by default eight times as many as there are and a megabyte.

    Attributes
    ----------
    exceeded : OverBudget or None
        What was raised; libraries turn it into errors of their own, or leave out what they could not read.
    """

    def __init__(self, path: Path, source: bytes | BinaryIO, most_bytes: int | None = None) -> None:
        self.path = path
        self.exceeded: OverBudget | None = None
        self._file: BinaryIO = io.BytesIO(source) if isinstance(source, bytes) else source
        position = self._file.tell()
        self._size = self._file.seek(0, os.SEEK_END)
        self._file.seek(position)
        self._bytes_left = 8 * self._size + _MB if most_bytes is None else most_bytes
        self._most_bytes = self._bytes_left
        self._reads_left = MOST_READS
        # Of this thread alone: a window or a network that computes meanwhile costs this file nothing.
        self._until = time.thread_time() + MOST_SECONDS

    def read(self, size: int | None = -1, /) -> bytes:
        """Read so many bytes, or all that are left; nothing is allocated for what is not there."""
        left = max(0, self._size - self._file.tell())
        wanted = left if size is None or size < 0 else min(size, left)
        self._charge(wanted)
        return self._file.read(wanted)

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        """Fill a buffer as far as the bytes go."""
        view = memoryview(buffer).cast("B")
        content = self.read(len(view))
        view[: len(content)] = content
        return len(content)

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Go elsewhere; free of charge but for the time."""
        self._charge(0)
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Where the next byte is read from."""
        return self._file.tell()

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def _charge(self, count: int) -> None:
        self._bytes_left -= count
        self._reads_left -= 1
        reason = ""
        if self._bytes_left < 0:
            reason = f"Reading the file takes more than {max(1, self._most_bytes // _MB)} MB of it"
        elif self._reads_left < 0:
            reason = f"The file has more than {MOST_READS:,} parts"
        elif self._reads_left % 64 == 0 and time.thread_time() > self._until:
            reason = f"Reading the file takes more than {MOST_SECONDS:.0f} seconds"
        if reason:
            self._bytes_left = -1  # whoever goes on is stopped again
            self.exceeded = self.exceeded or OverBudget(self.path, f"{reason}, so it is damaged; export it again.")
            raise self.exceeded
