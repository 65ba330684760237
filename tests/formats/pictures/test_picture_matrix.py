"""One picture, stored by several programs in every depth, compression and orientation, is one scan and one mask."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageOps, features

from napari_bonescint.formats.masks.registry import read_mask
from napari_bonescint.formats.opening import open_scan

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

ORIENTATION = 274
STORED = np.random.default_rng(6).integers(0, 17, (41, 23)).astype(np.uint8)


class Stored(NamedTuple):
    """One way to store the picture."""

    compression: str | None
    orientation: int
    tiled: bool = False


def upright(orientation: int) -> NDArray[np.uint8]:
    """The picture as Pillow, which is another's work, shows one that is stored so."""
    image = Image.fromarray(STORED)
    image.getexif()[ORIENTATION] = orientation
    return np.asarray(ImageOps.exif_transpose(image))


def ways(*compressions: str | None, tiles: bool = False) -> Iterator[Stored]:
    """Every compression, every orientation, and most pairs of them."""
    for i, compression in enumerate(compressions):
        for orientation in range(1, 9) if i < 2 else (1, 2 + i):
            yield Stored(compression, orientation, tiles and orientation % 2 == 0)


def check(path: Path, stored: Stored) -> None:
    expected = upright(stored.orientation)
    scan = open_scan(path)
    np.testing.assert_array_equal(scan.counts[0], expected, str(stored))
    assert scan.acquisition["matrix"] == "{}x{}".format(*expected.shape)
    told = f"(orientation {stored.orientation})"
    assert any(told in warning for warning in scan.warnings) is (stored.orientation != 1), stored
    np.testing.assert_array_equal(read_mask(path).regions[0], expected, str(stored))


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize(
    "dtype",
    ["uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float16", "float32", "float64"],
)
def test_tiff_of_tifffile(tmp_path: Path, dtype: str, byteorder: Any) -> None:
    may_predict = not dtype.endswith("int64")  # tifffile writes no differences of these
    for stored in ways(None, "lzw", "packbits", "zlib", "zstd", "lzma", tiles=True):
        tifffile.imwrite(
            tmp_path / "p.tif",
            STORED.astype(dtype),
            byteorder=byteorder,
            photometric="minisblack",
            compression=stored.compression,
            predictor=may_predict and stored.compression in {"lzw", "zlib", "zstd"} and stored.orientation % 3 != 0,
            tile=(16, 32) if stored.tiled else None,
            rowsperstrip=None if stored.tiled else 7,
            extratags=[(ORIENTATION, "H", 1, stored.orientation, True)] if stored.orientation > 1 else [],
        )
        check(tmp_path / "p.tif", stored)


def by_hand(labels: NDArray[np.uint8], bits: int, levels: Sequence[int] | None = None) -> bytes:
    """A TIFF of a depth that no library writes (TIFF 6.0, sections 4 and 5): each row is packed, from a byte on.

    With `levels`, the numbers stand for these greys, of 16 bits.
    """
    rows = ["".join(format(label, f"0{bits}b") for label in row) for row in labels]
    packed = b"".join(int(row.ljust(-(-len(row) // 8) * 8, "0"), 2).to_bytes(-(-len(row) // 8), "big") for row in rows)
    height, width = labels.shape
    values = {256: width, 257: height, 258: bits, 259: 1, 262: 1, 273: 8, 277: 1, 278: height, 279: len(packed)}
    tags = {tag: (4, 1, value) for tag, value in values.items()}
    palette = b""
    if levels is not None:
        palette = b"".join(level.to_bytes(2, "little") for level in levels) * 3
        tags |= {262: (4, 1, 3), 320: (3, 3 * len(levels), 8 + len(packed))}
    directory = b"".join(struct.pack("<HHII", tag, *entry) for tag, entry in tags.items())
    start = b"II*\0" + (8 + len(packed + palette)).to_bytes(4, "little") + packed + palette
    return start + len(tags).to_bytes(2, "little") + directory + bytes(4)


@pytest.mark.parametrize("bits", [1, 2, 4, 12])
def test_tiff_of_odd_depths(tmp_path: Path, bits: int) -> None:
    labels = np.minimum(STORED, min(2**bits - 1, 16))
    (tmp_path / "p.tif").write_bytes(by_hand(labels, bits))
    np.testing.assert_array_equal(read_mask(tmp_path / "p.tif").regions[0], labels)
    if bits > 1:
        np.testing.assert_array_equal(open_scan(tmp_path / "p.tif").counts[0], labels)


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_palettes_of_greys_of_every_depth(tmp_path: Path, bits: int) -> None:
    labels = np.minimum(STORED, 2**bits - 1)
    levels = [257 * (255 - 15 * number % 256) for number in range(2**bits)]
    (tmp_path / "p.tif").write_bytes(by_hand(labels, bits, levels))
    np.testing.assert_array_equal(open_scan(tmp_path / "p.tif").counts[0], 255 - 15 * labels)
    np.testing.assert_array_equal(read_mask(tmp_path / "p.tif").regions[0], labels)


@pytest.mark.parametrize("mode", ["L", "P", "I;16", "I", "F"])
def test_tiff_of_pillow(tmp_path: Path, mode: str) -> None:
    of_mode = {"I;16": np.uint16, "I": np.int32, "F": np.float32}
    image = Image.fromarray(STORED.astype(of_mode.get(mode, np.uint8)))
    image = image.convert("P") if mode == "P" else image
    for stored in ways(None, "tiff_lzw", "packbits", "tiff_adobe_deflate", "tiff_deflate", "zstd"):
        image.save(
            tmp_path / "p.tif", compression=stored.compression, tiffinfo={ORIENTATION: stored.orientation}, dpi=(72, 72)
        )
        check(tmp_path / "p.tif", stored)
    assert features.check("libtiff")


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "packbits", "group3", "group4", "tiff_ccitt"])
@pytest.mark.parametrize("photometric", ["black is 0", "white is 0"])
def test_black_and_white_tiff_is_a_mask_of_bone_and_no_scan(
    tmp_path: Path, compression: str | None, photometric: str
) -> None:
    bone = STORED > 8
    tiffinfo = {262: 0} if photometric == "white is 0" else {}
    for orientation in (1, 7):
        Image.fromarray(bone).save(
            tmp_path / "p.tif", compression=compression, tiffinfo={**tiffinfo, ORIENTATION: orientation}
        )
        mask = read_mask(tmp_path / "p.tif")
        np.testing.assert_array_equal(mask.regions[0], upright(orientation) > 8)
        assert not mask.names_regions


@pytest.mark.parametrize("mode", ["L", "P", "I;16"])
def test_png(tmp_path: Path, mode: str) -> None:
    image = Image.fromarray(STORED.astype(np.uint16 if mode == "I;16" else np.uint8))
    image = image.convert("P") if mode == "P" else image
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        image.save(tmp_path / "p.png", exif=exif)
        check(tmp_path / "p.png", Stored(None, orientation))
