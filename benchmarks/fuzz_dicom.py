"""Damaged DICOM files for `fuzz_readers.py`: scans and segmentations in every transfer syntax.

Damage concerns the structure: type, length and value of elements, nested items, markers of compressed streams. Single
bits are flipped, too.
"""

from __future__ import annotations

import io
import struct
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pydicom
from PIL import Image
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from dicom_files import nm_dataset, save, some_counts
from napari_bonescint.formats.masks.dicom_seg import Author, write_dicom_seg
from napari_bonescint.formats.opening import open_scan

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

SYNTAXES = (
    ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian,
    RLELossless, JPEGLossless, JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless, JPEGBaseline8Bit,
)  # fmt: skip
_LONG = {b"OB", b"OW", b"SQ", b"UN", b"UT", b"OF", b"OD", b"UC", b"UR"}
_VRS = [b"SQ", b"UN", b"OB", b"DS", b"IS", b"US", b"UI", b"PN", b"FD", b"AT", b"MA", b"\0\0", b"LO", b"OW", b"UL"]
_NUMBERS = [0, 1, 2, 7, 8, 15, 16, 17, 63, 64, 65, 255, 256, 8191, 8192, 32767, 65535]
_TEXTS = [b"", b"\\" * 64, b"1e309", b"-1", b"NaN", b"2147483648", b"99999999999999999999", b"\xff\xfe\x00\x01",
          b"1\\" * 3000, b"A" * 70_000, b"ANTERIOR POSTERIOR", b"../../secret"]  # fmt: skip
_KEYWORDS = ["Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "SamplesPerPixel",
             "NumberOfFrames", "NumberOfEnergyWindows", "NumberOfDetectors", "EnergyWindowVector", "DetectorVector",
             "PixelSpacing", "ImageType", "Modality", "PhotometricInterpretation", "CountsAccumulated", "Manufacturer",
             "EnergyWindowInformationSequence", "DetectorInformationSequence", "PixelData", "SOPClassUID",
             "StudyInstanceUID", "PatientID", "BurnedInAnnotation", "FrameIncrementPointer"]  # fmt: skip


@cache
def whole() -> dict[str, bytes]:
    """Undamaged files by name: scans in each transfer syntax, and a segmentation."""
    files = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "scan.dcm")
        for syntax in SYNTAXES:
            counts = some_counts(2)
            if syntax == JPEGBaseline8Bit:
                save(nm_dataset(counts.astype(np.uint8)), path)
                ds = pydicom.dcmread(path)
                ds.PixelData = encapsulate([_as_jpeg(frame) for frame in counts.astype(np.uint8)])
                ds.file_meta.TransferSyntaxUID = syntax
                ds.save_as(path)
            else:
                save(nm_dataset(counts), path, syntax)
            files[str(syntax.name)] = path.read_bytes()
        save(nm_dataset(some_counts(2)), path)
        scan = open_scan(path)
        regions = np.zeros(scan.counts.shape, np.uint8)
        regions[:, 8:40, 6:20] = 3
        regions[:, 44:60, 10:14] = 14
        seg = Path(folder, "mask.seg.dcm")
        write_dicom_seg(seg, scan, regions, names_regions=True, author=Author())
        files["segmentation"] = seg.read_bytes()
    return files


def damaged(name: str, chance: random.Random) -> bytes:
    """A file of `whole` with one to three kinds of damage."""
    content = whole()[name]
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        content = chance.choice(_DAMAGES)(content, chance)
    return content


def _as_jpeg(frame: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(frame).save(buffer, "JPEG", quality=95)
    return buffer.getvalue() + (b"\0" if buffer.tell() % 2 else b"")


def _elements(content: bytes) -> list[tuple[int, int, int]]:
    """Start, header length and value length of the elements, as far as they are explicit little endian."""
    found, at = [], 132
    while at + 8 <= len(content) and len(found) < 400:
        vr = content[at + 4 : at + 6]
        if not vr.isalpha():
            break
        head, length = 8, int.from_bytes(content[at + 6 : at + 8], "little")
        if vr in _LONG:
            head, length = 12, int.from_bytes(content[at + 8 : at + 12], "little")
        found.append((at, head, length))
        # Sequences are entered, not skipped: their items hold elements, too.
        at += head + (8 if vr == b"SQ" and length else 0 if length == 0xFFFFFFFF else length)
    return found


def _element(content: bytes, chance: random.Random) -> tuple[int, int, int]:
    found = _elements(content)
    return chance.choice(found) if found else (132 if len(content) > 200 else 0, 8, 0)


def _change_kind(content: bytes, chance: random.Random) -> bytes:
    at, _, _ = _element(content, chance)
    return content[: at + 4] + chance.choice(_VRS) + content[at + 6 :]


def _change_length(content: bytes, chance: random.Random) -> bytes:
    at, head, length = _element(content, chance)
    size = 2 if head == 8 else 4
    new = chance.choice((0, 1, length + 1, length + 8, 2 ** (8 * size) - 1, 2 ** (8 * size - 1), len(content)))
    return content[: at + head - size] + (new % 2 ** (8 * size)).to_bytes(size, "little") + content[at + head :]


def _change_value(content: bytes, chance: random.Random) -> bytes:
    at, head, length = _element(content, chance)
    length = min(length, 2**16)
    value = chance.choice((chance.randbytes(length), b"\0" * length, b"\xff" * length, b"9" * length))
    return content[: at + head] + value + content[at + head + length :]


def _repeat_or_leave_out(content: bytes, chance: random.Random) -> bytes:
    at, head, length = _element(content, chance)
    end = at + head + min(length, len(content))
    return content[:at] + content[at:end] * chance.choice((0, 0, 2, 300)) + content[end:]


def _nest(content: bytes, chance: random.Random) -> bytes:
    at, _, _ = _element(content, chance)
    depth, wide = chance.choice(((3, 1), (200, 1), (3000, 1), (1, 3000), (2, 20_000)))
    opening = struct.pack("<HH2sHI", 0x7, 0x10, b"SQ", 0, 0xFFFFFFFF)
    item = b"\xfe\xff\x00\xe0" + struct.pack("<I", 0xFFFFFFFF)
    empty = b"\xfe\xff\x00\xe0" + bytes(4)
    return content[:at] + (opening + item) * depth + empty * wide + content[at:]


def _flip_bits(content: bytes, chance: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 8, 50))):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _cut_off(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(1, len(content) + 1)] + chance.choice((b"", b"\xff\xd9", bytes(64)))


def _change_attribute(content: bytes, chance: random.Random) -> bytes:
    """Set a wrong value in an otherwise valid file."""

    def change(ds: pydicom.Dataset) -> None:
        keyword = chance.choice(_KEYWORDS)
        if chance.random() < 0.2:
            ds.pop(keyword, None)
        elif keyword in ds and ds[keyword].VR in ("US", "SS"):
            setattr(ds, keyword, chance.choice(_NUMBERS))
        elif keyword in ds and ds[keyword].VR == "SQ":
            ds[keyword].value = ds[keyword].value * chance.choice((0, 2, 500))
        elif keyword == "PixelData":
            ds.PixelData = ds.PixelData[: chance.randrange(len(ds.PixelData))]
        elif keyword == "NumberOfFrames":
            ds.NumberOfFrames = chance.choice((0, 1, 3, 64, 65, 10_000, 2**31 - 1, -1))
        else:
            raw = chance.choice(_TEXTS)
            ds[keyword] = pydicom.DataElement(keyword, "UN", raw)

    return _resaved(content, change)


def _change_stream(content: bytes, chance: random.Random) -> bytes:
    """Damage within a compressed frame, mostly within its first bytes, which say how to decode the others."""

    def change(ds: pydicom.Dataset) -> None:
        streams = list(generate_frames(ds.PixelData, number_of_frames=int(ds.NumberOfFrames)))
        which = chance.randrange(len(streams))
        stream = bytearray(streams[which])
        for _ in range(chance.choice((1, 1, 2, 5))):
            at = chance.randrange(min(len(stream), chance.choice((24, 96, 96, len(stream)))))
            kind = chance.randrange(5)
            if kind == 0:
                stream[at] ^= 1 << chance.randrange(8)
            elif kind == 1:
                stream[at : at + 4] = struct.pack(">I", chance.choice((0, 1, 255, 65535, 60_000, 2**31, 2**32 - 1)))
            elif kind == 2:
                stream[at : at + 2] = bytes((0xFF, chance.choice((0xC0, 0xC3, 0xC4, 0xDA, 0xDD, 0x51, 0x52, 0x90))))
            elif kind == 3:
                del stream[at : at + chance.choice((1, 2, 17))]
            else:
                stream[at:at] = chance.randbytes(chance.choice((1, 2, 64)))
        streams[which] = bytes(stream)
        ds.PixelData = encapsulate(streams)

    return _resaved(content, change)


def _change_syntax(content: bytes, chance: random.Random) -> bytes:
    def change(ds: pydicom.Dataset) -> None:
        ds.file_meta.TransferSyntaxUID = chance.choice((*SYNTAXES, JPEGExtended12Bit, "1.2.840.10008.1.2.4.203", "1.2"))

    return _resaved(content, change)


def _resaved(content: bytes, change: Callable[[pydicom.Dataset], None]) -> bytes:
    """A file after a change of its data set; unchanged if pydicom refuses the change."""
    buffer = io.BytesIO()
    try:
        ds = pydicom.dcmread(io.BytesIO(content), force=True)
        syntax = ds.file_meta.TransferSyntaxUID
        change(ds)
        changed, ds.file_meta.TransferSyntaxUID = ds.file_meta.TransferSyntaxUID, syntax
        ds.save_as(buffer, enforce_file_format=False)
    except Exception:  # what was damaged before may be beyond a change like this
        return content
    saved = buffer.getvalue()
    return saved if changed == syntax else saved.replace(str(syntax).encode(), str(changed).encode(), 1)


_DAMAGES: list[Callable[[bytes, random.Random], bytes]] = [
    _change_kind, _change_length, _change_value, _repeat_or_leave_out, _nest, _flip_bits, _cut_off,
    _change_attribute, _change_attribute, _change_attribute, _change_stream, _change_stream, _change_stream,
    _change_syntax,
]  # fmt: skip
