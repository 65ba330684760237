"""TIFF files whose directories go round in circles, or whose tags ask for more than there is."""

from __future__ import annotations

import io
import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile

from napari_bonescint.formats.masks.label_tiff import read_mask_tiff
from napari_bonescint.formats.pictures.raster import read_raster
from napari_bonescint.formats.pictures.tiff_directories import require_sound_tiff
from napari_bonescint.formats.safe_reading.refusal import Refusal

if TYPE_CHECKING:
    from pathlib import Path

COUNTS = np.random.default_rng(3).poisson(9, (2, 40, 32)).astype(np.uint16)


def encode(pages=COUNTS, **options) -> bytearray:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, pages, photometric="minisblack", **options)
    return bytearray(buffer.getvalue())


def position(content: bytearray, tag: int, page: int = 0) -> int:
    """Where in a page's directory the tag lies: 2 bytes code, 2 type, 4 count, 4 value (little endian, classic)."""
    with tifffile.TiffFile(io.BytesIO(content)) as tiff:
        at = tiff.pages[page].offset
    (entries,) = struct.unpack_from("<H", content, at)
    for number in range(entries):
        entry = at + 2 + 12 * number
        if struct.unpack_from("<H", content, entry) == (tag,):
            return entry
    raise AssertionError(f"no tag {tag}")


def set_value(content: bytearray, tag: int, value: int, count: int = 1) -> bytearray:
    struct.pack_into("<HII", content, position(content, tag) + 2, 4, count, value)
    return content


def next_directory(content: bytearray, page: int) -> int:
    """Where the offset of the following page lies."""
    with tifffile.TiffFile(io.BytesIO(content)) as tiff:
        at = tiff.pages[page].offset
    return at + 2 + 12 * struct.unpack_from("<H", content, at)[0]


def point_back(content: bytearray, page: int, to: int) -> bytearray:
    with tifffile.TiffFile(io.BytesIO(content)) as tiff:
        target = tiff.pages[to].offset
    struct.pack_into("<I", content, next_directory(content, page), target)
    return content


def many_pages(count: int) -> bytes:
    """Directories without a tag, one after the other."""
    content = b"II*\0" + struct.pack("<I", 8)
    for number in range(count):
        following = 0 if number == count - 1 else 8 + 6 * (number + 1)
        content += struct.pack("<HI", 0, following)
    return content


def bomb() -> bytearray:
    """A strip of 2 KB that inflates to 100 MB."""
    strip = zlib.compress(bytes(100 * 2**20), 9)
    content = encode(COUNTS[:1], compression="zlib")
    at = len(content)
    content += strip
    return set_value(set_value(content, 273, at), 279, len(strip))


CASES = {
    "a page follows itself": (point_back(encode(), 1, 1), "form a loop"),
    "the first page follows the second": (point_back(encode(), 1, 0), "form a loop"),
    "no end of pages": (many_pages(600), "more than 512 pages"),
    "a million widths": (set_value(encode(), 256, 0, count=2**31), None),
    "absurd width": (set_value(encode(), 256, 2**31), "larger than any planar scan"),
    "absurd samples": (set_value(encode(), 277, 65535), "larger than any planar scan"),
    "strips beyond the file": (set_value(encode(), 279, 2**31), "damaged"),
    "bomb": (bomb(), "inflates to more than the image has"),
    "cut off within its directory": (encode()[:40], "damaged"),
}


@pytest.mark.parametrize(("content", "reason"), CASES.values(), ids=CASES)
def test_every_reader_ends_with_one_sentence(tmp_path: Path, content: bytearray, reason: str | None) -> None:
    path = tmp_path / "odd.tif"
    path.write_bytes(content)
    if reason is not None:
        with pytest.raises(Refusal, match=rf"^odd\.tif: .*{reason}"):
            require_sound_tiff(path, bytes(content))
    for read in (read_raster, read_mask_tiff):
        with pytest.raises(Refusal, match=r"^odd\.tif: [^\n]*$"):
            read(path)


@pytest.mark.parametrize(
    "options", [{}, {"compression": "zlib"}, {"tile": (16, 16)}, {"rowsperstrip": 7}, {"bigtiff": True}]
)
@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_whole_files_pass(tmp_path: Path, options: dict[str, object], byteorder: str) -> None:
    path = tmp_path / "scan.tif"
    path.write_bytes(encode(byteorder=byteorder, **options))
    require_sound_tiff(path, path.read_bytes())
    np.testing.assert_array_equal(read_raster(path).counts, COUNTS)


def test_pages_within_a_page_that_go_round_in_a_circle(tmp_path: Path) -> None:
    content = encode(COUNTS[:1])
    with tifffile.TiffFile(io.BytesIO(content)) as tiff:
        own = tiff.pages[0].offset
    # The tag for the program's name becomes one for a directory within this one: the page itself.
    at = position(content, 305)
    struct.pack_into("<HHII", content, at, 330, 4, 1, own)
    with pytest.raises(Refusal, match="form a loop"):
        require_sound_tiff(tmp_path / "odd.tif", bytes(content))
