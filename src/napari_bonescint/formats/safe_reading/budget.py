"""Limits for reading one file: bytes, pixels, directories, seconds and memory, each checked before it is used.

A whole-body scan has half a million pixels in two to ten frames and takes a few megabytes. The limits lie far above
that, and far below the memory of a computer. Each refusal names its limit.
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
"""Bytes of a file, and of its decoded pixels."""
MOST_TABLE_BYTES = 8 * 2**20
"""Bytes of a CSV table."""
MOST_INFLATED_BYTES = 128 * 2**20
"""Bytes of a deflated or gzipped file, once inflated."""
MOST_GZIP_MEMBERS = 64
"""Members of a gzipped file; most writers make one, and a million take minutes."""
MOST_PIXELS = 32_000_000
"""Pixels in all frames or pages of a file together."""
MOST_DIRECTORIES = 512
"""Directories of a TIFF file; each page has one."""
MOST_VALUES = 2**20
"""Numbers in the tags of a TIFF file; bytes of a text."""
MOST_HEADER_BYTES = 64 * 2**20
"""Bytes of a DICOM file without its pixels."""
MOST_READS = 500_000
"""Read calls of a library on one file: at least one for each element or tag."""
MOST_MEMORY = 768 * 2**20
"""Bytes of memory for the process that decodes images."""
MOST_SECONDS = 4.0
"""Computing time of parsing a file; `decoder_process` has the limits of decoding."""

_MB = 2**20
# zlib's number for the largest window with gzip's header and checksum.
_GZIP_FRAME = 16 + zlib.MAX_WBITS


class OverBudget(Refusal):
    """A file exceeds a limit for reading, such as bytes, pixels or seconds."""


def require_pixels(path: Path, *shape: int, bytes_a_pixel: float = 1) -> None:
    """Refuse a shape with more pixels or bytes than a planar scan has, before memory is allocated.

    `shape` is frames or pages, rows, columns and channels; their product may be at most `MOST_PIXELS` values, and their
    bytes at most `MOST_BYTES` (otherwise `OverBudget`).
    """
    values = 1
    for length in shape:
        values *= max(0, int(length))
    if values > MOST_PIXELS:
        size = " x ".join(str(length) for length in reversed(shape) if length != 1)
        most = f"at most {MOST_PIXELS // 1_000_000} million in a file"
        raise OverBudget(path, f"The image is {size} pixels, larger than any planar scan ({most}).")
    if values * bytes_a_pixel > MOST_BYTES:
        raise OverBudget(path, f"The pixels take more than {MOST_BYTES // _MB} MB, the most that is read from a file.")


class _Inflator(Protocol):
    """The type of the object that `zlib.decompressobj` returns."""

    @property
    def eof(self) -> bool: ...

    @property
    def unconsumed_tail(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int = 0, /) -> bytes: ...


def require_small_when_inflated(path: Path, content: bytes, inflator: _Inflator) -> None:
    """Refuse bytes that inflate to more than `MOST_INFLATED_BYTES`; damaged bytes pass, since inflating them fails."""
    inflated = 0
    with suppress(zlib.error):
        while content and not inflator.eof and inflated <= MOST_INFLATED_BYTES:
            inflated += len(inflator.decompress(content, _MB))
            content = inflator.unconsumed_tail
    if inflated > MOST_INFLATED_BYTES:
        raise _inflates_too_far(path)


def _inflates_too_far(path: Path) -> OverBudget:
    return OverBudget(path, f"The file inflates to more than {MOST_INFLATED_BYTES // _MB} MB, the most that is read.")


def gunzipped(path: Path, content: bytes) -> bytes:
    """Decompress gzipped bytes; damaged ones raise `EOFError` or `zlib.error`.

    Bytes that inflate to more than `MOST_INFLATED_BYTES`, or have more than `MOST_GZIP_MEMBERS` members, raise
    `OverBudget`.
    """
    pieces: list[bytes] = []
    left = MOST_INFLATED_BYTES + 1
    while content:
        inflator = zlib.decompressobj(_GZIP_FRAME)
        pieces.append(inflator.decompress(content, left))
        left -= len(pieces[-1])
        if left <= 0:
            raise _inflates_too_far(path)
        if not inflator.eof:
            raise EOFError
        if len(pieces) > MOST_GZIP_MEMBERS:
            raise OverBudget(path, f"The file is gzipped in more than {MOST_GZIP_MEMBERS} pieces; compress it again.")
        content = inflator.unused_data.lstrip(b"\0")
    return b"".join(pieces)


@contextmanager
def metered(path: Path, content: bytes) -> Iterator[BinaryIO]:
    """Give a library a `Metered` stream of bytes; the stream's refusal is raised even if the library hides it."""
    stream = Metered(path, content)
    try:
        yield cast("BinaryIO", stream)
    except Exception as error:
        raise stream.exceeded or error from error.__cause__
    if stream.exceeded is not None:
        raise stream.exceeded


class Metered(io.RawIOBase):
    """A stream for a library to parse, which raises a refusal when too much is read, too often or for too long.

    An endless loop in a library reads again and again, so this ends it, too. By default, eight times the content and a
    megabyte may be read in all. `exceeded` keeps the refusal: libraries turn it into errors of their own, or leave out
    the part that they could not read.
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
        # The time of this thread alone: other threads, such as the window's, do not count.
        self._until = time.thread_time() + MOST_SECONDS

    def read(self, size: int | None = -1, /) -> bytes:
        """Read so many bytes, or all that are left; memory is allocated only for bytes that exist."""
        left = max(0, self._size - self._file.tell())
        wanted = left if size is None or size < 0 else min(size, left)
        self._charge(wanted)
        return self._file.read(wanted)

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        """Read bytes into a buffer; return their number."""
        view = memoryview(buffer).cast("B")
        content = self.read(len(view))
        view[: len(content)] = content
        return len(content)

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Move the position; only time is charged for it."""
        self._charge(0)
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """The position of the next byte."""
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
            self._bytes_left = -1  # every further read is refused

            self.exceeded = self.exceeded or OverBudget(self.path, f"{reason}, so it is damaged; export it again.")
            raise self.exceeded
