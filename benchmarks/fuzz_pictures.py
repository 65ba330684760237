"""TIFF, PNG and NIfTI files and tables for `fuzz_readers.py`, with damaged structure."""

from __future__ import annotations

import gzip
import io
import struct
import tempfile
import zlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import tifffile
from PIL import Image

from napari_bonescint.formats.masks.mask import Mask
from napari_bonescint.formats.masks.nifti import write_mask_nifti
from napari_bonescint.scan import View, ViewName

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

_EXTREMES = (0, 1, 2, 3, 8, 16, 255, 4096, 8192, 8193, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1)
_COMPRESSIONS = (1, 2, 3, 4, 5, 6, 7, 8, 32773, 32946, 34712, 34925, 50000, 50001, 50002, 65000)
_TAGS = (254, 256, 257, 258, 259, 262, 273, 274, 277, 278, 279, 282, 283, 284, 296, 317, 320, 322, 323, 324, 325,
         330, 338, 339, 347, 34665, 34853, 50838, 50839)  # fmt: skip


@cache
def whole() -> dict[str, bytes]:
    """Undamaged files by name."""
    counts = np.random.default_rng(3).poisson(9, (2, 64, 32)).astype(np.uint16)
    mask = np.zeros((2, 64, 32), np.uint8)
    mask[:, 8:40, 6:20] = 3
    grey = {"photometric": "minisblack"}
    files = {
        "plain.tif": _tiff(counts, **grey),
        "big.tif": _tiff(counts, bigtiff=True, **grey),
        "swapped.tif": _tiff(counts, byteorder=">", **grey),
        "tiled.tif": _tiff(counts, tile=(16, 16), compression="zlib", **grey),
        "deflate.regions.tif": _tiff(mask, compression="zlib", predictor=True, **grey),
        "lzw.tif": _tiff(counts, compression="lzw", **grey),
        "packbits.tif": _tiff(mask, compression="packbits", **grey),
        "zstd.tif": _tiff(counts, compression="zstd", **grey),
        "lzma.tif": _tiff(counts, compression="lzma", **grey),
        "jpeg.tif": _tiff(counts.astype(np.uint8), compression="jpeg", **grey),
        "imagej.tif": _tiff(counts, imagej=True, resolution=(10, 10), metadata={"unit": "mm"}),
        "ome.ome.tif": _tiff(counts, metadata={"axes": "ZYX", "PhysicalSizeX": 2.0, "PhysicalSizeY": 2.0}, ome=True),
        "palette.tif": _tiff(
            mask[0], photometric="palette", colormap=np.arange(768, dtype=np.uint16).reshape(3, 256) * 257
        ),
        "rgb.tif": _tiff(np.repeat(counts[0].astype(np.uint8)[..., None], 3, -1), photometric="rgb"),
        "fax.tif": _pillow(Image.fromarray(mask[0] > 0), "TIFF", compression="group4"),
        "grey.png": _pillow(Image.fromarray(counts[0].astype(np.uint8)), "PNG"),
        "deep.png": _pillow(Image.fromarray(counts[0]), "PNG"),
        "palette.png": _pillow(Image.fromarray(mask[0]).convert("P"), "PNG"),
        "colour.png": _pillow(Image.fromarray(counts[0].astype(np.uint8)).convert("RGBA"), "PNG"),
        "table.csv": b"label,region\n1,skull\n2,pelvis\n",
    }
    with tempfile.TemporaryDirectory() as folder:
        for name in ("mask.nii", "mask.nii.gz"):
            path = Path(folder, name)
            write_mask_nifti(path, Mask(mask[:1], (View(ViewName.ANTERIOR),), (2.4, 2.2)))
            files[name] = path.read_bytes()
    return files


def damaged(name: str, chance: random.Random) -> bytes:
    """A file of `whole` with one to three kinds of damage."""
    content = whole()[name]
    damages = next(damages for ending, damages in _DAMAGES.items() if name.endswith(ending))
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        content = chance.choice((*damages, _flip_bits, _cut_off))(content, chance)
    return content


def _tiff(pixels: np.ndarray, **options: object) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, pixels, **options)
    return buffer.getvalue()


def _pillow(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _flip_bits(content: bytes, chance: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 8, 50))):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _cut_off(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(1, len(content) + 1)]


class _Tags:
    """Positions of the tags of a TIFF file."""

    def __init__(self, content: bytes) -> None:
        self.content = bytearray(content)
        self.order = "<" if content[:2] == b"II" else ">"
        big = content[2:4] in (b"+\0", b"\0+")
        self.count, self.tag, self.offset = ("Q", "HHQQ", "Q") if big else ("H", "HHII", "I")
        self.entries: list[int] = []
        self.directories: list[int] = []
        self.ends: list[int] = []
        at = self._read(self.offset, 8 if big else 4)[0]
        while 0 < at < len(content) and at not in self.directories and len(self.directories) < 50:
            self.directories.append(at)
            (entries,) = self._read(self.count, at)
            start = at + struct.calcsize("=" + self.count)
            size = struct.calcsize("=" + self.tag)
            self.entries += [start + size * number for number in range(min(entries, 200))]
            self.ends.append(start + size * entries)
            at = self._read(self.offset, self.ends[-1])[0]

    def _read(self, kinds: str, at: int) -> tuple[int, ...]:
        return struct.unpack_from(self.order + kinds, self.content, at)

    def write(self, kinds: str, at: int, *values: int) -> None:
        most = 2 ** (8 * struct.calcsize("=" + kinds[-1]))
        struct.pack_into(self.order + kinds, self.content, at, *(value % most for value in values))


def _change_tag(content: bytes, chance: random.Random) -> bytes:
    try:
        tags = _Tags(content)
        at = chance.choice(tags.entries)
        code, kind, count, value = tags._read(tags.tag, at)
        what = chance.randrange(6)
        if what == 0:
            kind = chance.choice((0, 1, 2, 3, 4, 5, 7, 12, 13, 16, 99))
        elif what == 1:
            count = chance.choice((*_EXTREMES, count + 1))
        elif what in (2, 3):
            value = chance.choice((*_EXTREMES, *tags.directories, at, len(content) - 4))
        elif what == 4:
            code = chance.choice(_TAGS)
        else:
            code, kind, count, value = 259, 3, 1, chance.choice(_COMPRESSIONS)
        tags.write(tags.tag, at, code, kind, count, value)
    except (struct.error, IndexError):
        return content
    return bytes(tags.content)


def _change_order_of_pages(content: bytes, chance: random.Random) -> bytes:
    try:
        tags = _Tags(content)
        target = chance.choice((*tags.directories, *tags.entries, 1, len(content) - 2, 2**31))
        tags.write(tags.offset, chance.choice(tags.ends), target)
    except (struct.error, IndexError):
        return content
    return bytes(tags.content)


def _add_directory_within(content: bytes, chance: random.Random) -> bytes:
    """Turn a tag of the page into one that points to a directory: the page itself, another one or anything."""
    try:
        tags = _Tags(content)
        target = chance.choice((*tags.directories, chance.randrange(len(content))))
        tags.write(tags.tag, chance.choice(tags.entries), chance.choice((330, 34665, 34853)), 4, 1, target)
    except (struct.error, IndexError):
        return content
    return bytes(tags.content)


def _put_bomb(content: bytes, chance: random.Random) -> bytes:
    """Make pixels that inflate to far more than the page holds; tags 273 and 279 are the strip's offset and length."""
    try:
        tags = _Tags(content)
        strip = zlib.compress(bytes(chance.choice((2**16, 2**20, 2**26))), 9)
        for at in tags.entries:
            code, kind, count, _ = tags._read(tags.tag, at)
            if code in (273, 324) and count == 1:
                tags.write(tags.tag, at, code, 4, 1, len(content))
            if code in (279, 325) and count == 1:
                tags.write(tags.tag, at, code, 4, 1, len(strip))
            if code == 259:
                tags.write(tags.tag, at, code, kind, 1, 8)
    except (struct.error, IndexError):
        return content
    return bytes(tags.content) + strip


def _change_chunk(content: bytes, chance: random.Random) -> bytes:
    """Damage a chunk of a PNG, with a correct checksum."""
    chunks, at = [], 8
    while at + 12 <= len(content):
        length = min(int.from_bytes(content[at : at + 4], "big"), len(content) - at - 12)
        chunks.append((content[at + 4 : at + 8], content[at + 8 : at + 8 + length]))
        at += 12 + length
    if not chunks:
        return content
    which = chance.randrange(len(chunks))
    kind, data = chunks[which]
    changed = bytearray(data)
    what = chance.randrange(6)
    if what == 0 and changed:
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    elif what == 1 and kind == b"IHDR" and len(changed) >= 8:
        changed[:8] = struct.pack(">2I", chance.choice(_EXTREMES), chance.choice(_EXTREMES))
    elif what == 2:
        kind = chance.choice((b"IDAT", b"PLTE", b"tRNS", b"zTXt", b"iCCP", b"eXIf", b"acTL", b"fcTL", b"gAMA", b"abCD"))
    elif what == 3:
        bomb = zlib.compress(bytes(chance.choice((2**20, 2**26))), 9)
        chunks.insert(which, (b"zTXt", b"a\0\0" + bomb) if chance.random() < 0.5 else (b"IDAT", bomb))
    elif what == 4:
        changed = bytearray(data * chance.choice((0, 2, 40)))
    else:
        chunks *= chance.choice((1, 2))
    chunks[which] = (kind, bytes(changed))
    return content[:8] + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def _change_nifti(content: bytes, chance: random.Random) -> bytes:
    """Set a wrong number in the header: sizes, type, offset of the pixels, scale, orientation, extensions."""
    packed = content[:2] == b"\x1f\x8b"
    try:
        header = bytearray(gzip.decompress(content) if packed else content)
    except (OSError, EOFError, zlib.error):
        return content
    at, kind = chance.choice(((40, "h"), (42, "h"), (44, "h"), (46, "h"), (48, "h"), (70, "h"), (72, "h"), (108, "f"),
                              (112, "f"), (116, "f"), (80, "f"), (123, "B"), (252, "h"), (254, "h"), (280, "f"),
                              (296, "f"), (344, "I"), (348, "I"), (352, "I"), (0, "I")))  # fmt: skip
    if kind == "f":
        value: float = chance.choice((0.0, 1.0, -1.0, 1e30, float("nan"), float("inf"), 352.0, 1e9))
    else:
        bits = 8 * struct.calcsize("=" + kind)
        value = chance.choice(_EXTREMES) % 2 ** (bits - (kind == "h"))
    if at + 4 <= len(header):
        struct.pack_into("<" + kind, header, at, value)
    if chance.random() < 0.05:
        header += bytes(chance.choice((2**20, 2**28)))
    return gzip.compress(bytes(header), 1) if packed else bytes(header)


def _change_table(content: bytes, chance: random.Random) -> bytes:
    added = chance.choice((b"1,skull\n", b'"', b"\0", b",,,,\n", b"a," + b"b" * 200_000, b"=1+1,skull\n", b"\xff\xfe"))
    at = chance.randrange(len(content) + 1)
    return content[:at] + added + content[at:]


_DAMAGES: dict[str, list[Callable[[bytes, random.Random], bytes]]] = {
    ".tif": [_change_tag, _change_tag, _change_tag, _change_order_of_pages, _add_directory_within, _put_bomb],
    ".png": [_change_chunk, _change_chunk, _change_chunk],
    ".nii": [_change_nifti, _change_nifti],
    ".nii.gz": [_change_nifti, _change_nifti],
    ".csv": [_change_table],
}
