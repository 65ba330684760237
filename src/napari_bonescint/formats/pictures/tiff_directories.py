"""Check the directories of a TIFF file before a library parses it: loops, absurd counts, and inflation bombs.

TIFF 6.0, section 2, and BigTIFF: a directory is a list of tags that ends with the offset of the next directory. A file
may point back at itself, or state a billion values for a tag or a terabyte for a tile.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, NamedTuple

from napari_bonescint.formats.safe_reading.budget import (
    MOST_BYTES,
    MOST_DIRECTORIES,
    MOST_VALUES,
    OverBudget,
    require_pixels,
)
from napari_bonescint.formats.safe_reading.refusal import DAMAGED, Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

# Bytes of a value by its type number; 2 is text, and 7 is bytes of any meaning.
_TYPE_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_INTEGERS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
_TEXT = 2
_OPAQUE = (1, 6, 7)
_MOST_TAGS = 1024
_SLACK = 2**16

_WIDTH, _LENGTH, _BITS, _COMPRESSION, _SAMPLES, _ROWS_A_STRIP, _PLANAR = 256, 257, 258, 259, 277, 278, 284
_STRIP_OFFSETS, _STRIP_BYTES, _TILE_WIDTH, _TILE_LENGTH, _TILE_OFFSETS, _TILE_BYTES = 273, 279, 322, 323, 324, 325
_SUB_DIRECTORIES = (330, 34665, 34853, 40965)
_DEFLATE = (8, 32946)
_READ = {
    _WIDTH, _LENGTH, _BITS, _COMPRESSION, _SAMPLES, _ROWS_A_STRIP, _PLANAR, _STRIP_OFFSETS, _STRIP_BYTES,
    _TILE_WIDTH, _TILE_LENGTH, _TILE_OFFSETS, _TILE_BYTES, *_SUB_DIRECTORIES,
}  # fmt: skip

Tags = dict[int, tuple[int, ...]]


class _Layout(NamedTuple):
    """Byte order, formats of a tag count, a tag and an offset, and the place of the first offset."""

    order: str
    tags: struct.Struct
    tag: struct.Struct
    offset: struct.Struct
    first: int


def require_sound_tiff(path: Path, content: bytes) -> None:
    """Refuse a TIFF file that would cost too much memory or time to read.

    Its directories may not form a loop or be too many, a tag may not have too many values, and pixels, tiles and
    compressed pieces may not take too many bytes (`OverBudget`); it may not be cut off within a directory (`Refusal`).
    """
    try:
        for tags in _directories(path, content):
            _require_small_image(path, content, tags)
    except struct.error as error:
        raise Refusal(path, DAMAGED) from error


def _directories(path: Path, content: bytes) -> Iterator[Tags]:
    layout = _layout(content)
    (first,) = layout.offset.unpack_from(content, layout.first)
    waiting, seen, values = [int(first)], set[int](), 0
    while waiting:
        at = waiting.pop()
        # Libraries ignore offsets beyond the end; a missing page is reported later.
        if at == 0 or at + layout.tags.size > len(content):
            continue
        if at in seen:
            raise OverBudget(path, "The TIFF directories of the file form a loop, so it is damaged; export it again.")
        seen.add(at)
        if len(seen) > MOST_DIRECTORIES:
            raise OverBudget(path, f"The file has more than {MOST_DIRECTORIES} pages, the most that are read.")
        tags, following, count = _directory(path, content, layout, at)
        values += count
        if values > MOST_VALUES:
            most = f"more than {MOST_VALUES // 10**6} million values"
            raise OverBudget(path, f"The tags of the file hold {most}; export it again.")
        yield tags
        waiting.append(following)
        for tag in _SUB_DIRECTORIES:
            waiting += tags.get(tag, ())


def _layout(content: bytes) -> _Layout:
    order = "<" if content.startswith(b"II") else ">"
    big = content[2:4] in (b"+\0", b"\0+")
    tags, tag, offset = (struct.Struct(order + each) for each in (("Q", "HHQ8s", "Q") if big else ("H", "HHI4s", "I")))
    return _Layout(order, tags, tag, offset, first=8 if big else 4)


def _directory(path: Path, content: bytes, layout: _Layout, at: int) -> tuple[Tags, int, int]:
    """The needed tags of a directory, the offset of the next one, and the number of its values."""
    (entries,) = layout.tags.unpack_from(content, at)
    if entries > _MOST_TAGS:
        raise OverBudget(path, f"A page of the file has {entries} tags; at most {_MOST_TAGS} are read.")
    at += layout.tags.size
    tags: Tags = {}
    values = 0
    for _ in range(entries):
        code, kind, count, inline = layout.tag.unpack_from(content, at)
        at += layout.tag.size
        size = _TYPE_SIZES.get(kind, 0) * count
        if not size or size > len(content):
            continue
        if kind not in _OPAQUE:
            values += count
        if code in _READ and kind in _INTEGERS and values <= MOST_VALUES:
            start = 0 if size <= len(inline) else layout.offset.unpack(inline)[0]
            source = inline if size <= len(inline) else content
            if start + size <= len(source):
                tags[code] = struct.unpack_from(f"{layout.order}{count}{_INTEGERS[kind]}", source, start)
    following = layout.offset.unpack_from(content, at)[0] if at + layout.offset.size <= len(content) else 0
    return tags, int(following), values


def _require_small_image(path: Path, content: bytes, tags: Mapping[int, tuple[int, ...]]) -> None:
    def number(tag: int, otherwise: int) -> int:
        found = tags.get(tag, ())
        return found[0] if found else otherwise

    width, length, samples = number(_WIDTH, 0), number(_LENGTH, 0), number(_SAMPLES, 1)
    sample_bytes = -(-max(tags.get(_BITS, (1,))) // 8)
    tile_width, tile_length = number(_TILE_WIDTH, 0), number(_TILE_LENGTH, 0)
    for size in ((length, width, samples), (tile_length, tile_width, samples)):
        require_pixels(path, *size, bytes_a_pixel=sample_bytes)
    sizes = (*tags.get(_STRIP_BYTES, ()), *tags.get(_TILE_BYTES, ()))
    if sum(sizes) > len(content) + _SLACK:
        raise Refusal(path, DAMAGED)
    if number(_COMPRESSION, 1) in _DEFLATE:
        rows = min(length, number(_ROWS_A_STRIP, length)) or length
        together = samples if number(_PLANAR, 1) == 1 else 1
        piece = max(rows * width, tile_width * tile_length) * together * sample_bytes
        offsets = (*tags.get(_STRIP_OFFSETS, ()), *tags.get(_TILE_OFFSETS, ()))
        _require_no_bomb(path, content, offsets, sizes, min(piece + _SLACK, MOST_BYTES))


def _require_no_bomb(path: Path, content: bytes, offsets: Sequence[int], sizes: Sequence[int], most: int) -> None:
    """Refuse a piece that inflates beyond its limit; zlib can make a thousand bytes of one."""
    for offset, size in zip(offsets, sizes, strict=False):
        try:
            inflated = zlib.decompressobj().decompress(content[offset : offset + size], most + 1)
        except zlib.error:
            continue  # decoding reports the damage
        if len(inflated) > most:
            raise OverBudget(path, "A piece of the image inflates to more than the image has; export it uncompressed.")
