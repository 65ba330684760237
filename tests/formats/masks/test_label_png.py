"""PNG masks of every depth, and PNGs that are none."""

from __future__ import annotations

import io
import struct
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from napari_bonescint.errors import BonescintError
from napari_bonescint.formats.masks.label_png import read_mask_png
from napari_bonescint.formats.masks.region_mapping import RegionMapping
from napari_bonescint.formats.pictures.raster import read_raster
from napari_bonescint.formats.safe_reading import budget
from napari_bonescint.formats.safe_reading.refusal import Refusal

if TYPE_CHECKING:
    from pathlib import Path

GREY, PALETTE = 0, 3
LABELS = np.random.default_rng(4).integers(0, 17, (41, 23))


def encode(labels: np.ndarray, depth: int, colour: int = GREY) -> bytes:
    """A PNG by its specification (ISO/IEC 15948), of every depth; Pillow writes greys of 1, 8 and 16 bits only."""
    rows = b""
    for row in labels:
        bits = "".join(format(label, f"0{depth}b") for label in row)
        bits += "0" * (-len(bits) % 8)
        rows += b"\0" + int(bits, 2).to_bytes(len(bits) // 8, "big")
    header = struct.pack(">IIBBBBB", labels.shape[1], labels.shape[0], depth, colour, 0, 0, 0)
    palette = [(b"PLTE", bytes(range(3 * 17)))] if colour == PALETTE else []
    chunks = [(b"IHDR", header), *palette, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    whole = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(whole)


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("depth", "colour"), [*((depth, GREY) for depth in (1, 2, 4, 8, 16)), *((depth, PALETTE) for depth in (1, 2, 4, 8))]
)
def test_labels_are_the_stored_numbers_whatever_the_depth(tmp_path: Path, depth: int, colour: int) -> None:
    labels = np.minimum(LABELS, 2**depth - 1)
    mask = read_mask_png(write(tmp_path / "m.png", encode(labels, depth, colour)))
    np.testing.assert_array_equal(mask.regions[0], labels)
    assert (mask.views, mask.spacing, mask.names_regions) == ((None,), None, depth > 1)


def test_a_mask_without_bone(tmp_path: Path) -> None:
    assert not read_mask_png(write(tmp_path / "m.png", encode(0 * LABELS, 8))).regions.any()


def test_other_labels_need_a_mapping(tmp_path: Path) -> None:
    path = write(tmp_path / "m.png", encode(1000 * (LABELS > 8), 16))
    with pytest.raises(BonescintError, match=r"^m\.png: the mask has values up to 1000, .* give a region mapping"):
        read_mask_png(path)
    mask = read_mask_png(path, RegionMapping("bone.csv", {"1000": "bone"}))
    np.testing.assert_array_equal(mask.regions[0], LABELS > 8)
    assert not mask.names_regions


def as_mode(mode: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(LABELS.astype(np.uint8)).convert(mode).save(buffer, "PNG")
    return buffer.getvalue()


def animated() -> bytes:
    buffer = io.BytesIO()
    first, second = (Image.fromarray(np.uint8(LABELS + i)) for i in (0, 1))
    first.save(buffer, "PNG", save_all=True, append_images=[second])
    return buffer.getvalue()


REFUSED = {
    "in colour or transparent; a mask has": as_mode("RGB"),
    "or transparent; a mask has": as_mode("LA"),
    "animated; a mask is a still image": animated(),
    "no PNG": b"GIF89a" * 20,
    "8 x 41 pixels, too small": encode(LABELS[:, :8], 8),
    "100000 x 100000 pixels, larger than": encode(LABELS, 8)[:16] + struct.pack(">II", 100_000, 100_000) + bytes(99),
    "damaged or cut off": encode(LABELS, 8)[:60],
    "damaged": b"\x89PNG\r\n\x1a\n\0",
    "empty": b"",
}


@pytest.mark.parametrize("reason", REFUSED)
def test_refused_with_one_sentence(tmp_path: Path, reason: str) -> None:
    with pytest.raises(BonescintError) as refused:
        read_mask_png(write(tmp_path / "m.png", REFUSED[reason]))
    assert str(refused.value).startswith("m.png: The ")
    assert reason in str(refused.value)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_file_that_is_cut_or_damaged_never_loses_a_label_silently(tmp_path: Path, data: st.DataObject) -> None:
    content = encode(LABELS, 8)
    cut = bytearray(content[: data.draw(st.integers(1, len(content)))])
    place = data.draw(st.integers(24, len(content)))
    if place < len(cut):
        cut[place] ^= data.draw(st.integers(1, 255))
    with suppress(BonescintError):
        np.testing.assert_array_equal(read_mask_png(write(tmp_path / "m.png", bytes(cut))).regions[0], LABELS)


def test_endless_chunks_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(budget, "MOST_READS", 5000)
    content = encode(LABELS, 8)
    empty = b"\0\0\0\0abCD" + struct.pack(">I", zlib.crc32(b"abCD"))
    path = tmp_path / "mask.png"
    path.write_bytes(content[:33] + empty * 10_000 + content[33:])
    for read in (read_mask_png, read_raster):
        with pytest.raises(Refusal, match=r"^mask\.png: The file has more than 5,000 parts"):
            read(path)
