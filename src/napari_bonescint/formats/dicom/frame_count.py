"""The number of frames of a Nuclear Medicine image, from the header, the vectors and the pixels."""

from __future__ import annotations

import io
from itertools import islice
from typing import TYPE_CHECKING

from pydicom.encaps import generate_fragments, parse_basic_offsets

from napari_bonescint.formats.safe_reading.refusal import Refusal
from napari_bonescint.text.formatting import counted

if TYPE_CHECKING:
    from pathlib import Path

    from napari_bonescint.formats.dicom.header import Header

# Two detectors and a few windows need fewer; a file with more frames is a series in time or around the patient.
_MOST_FRAMES = 64

VECTORS = {"EnergyWindowVector": "Energy Window Vector", "DetectorVector": "Detector Vector"}
PIXEL_BITS = {"PixelData": None, "FloatPixelData": 32, "DoubleFloatPixelData": 64}
"""Attributes that hold pixels, with the bits of each pixel; None if the header gives them."""

_MOST_FRAGMENTS = 2**16
_START_OF_IMAGE = (b"\xff\xd8\xff", b"\xff\x4f\xff\x51", b"\x00\x00\x00\x0cjP", b"\xff\x0a")


def frame_count_agrees(header: Header) -> bool:
    """True if header and vectors agree on the number of frames; then the pixels need not be read."""
    stated = header.number("NumberOfFrames")
    expected: list[int | None] = [*_vector_lengths(header)] or [described_frames(header)]
    return stated is not None and all(number in (None, stated) for number in expected)


def settle_frame_count(header: Header, path: Path) -> tuple[int, list[str]]:
    """Decide how many frames to read: the number on which two of header, vectors and pixels agree.

    Returns the number and warnings about contradictions. If the header was read without pixels, only header and vectors
    are compared. A file that holds fewer pixels than it describes, or too many frames, or without agreement, is a
    `Refusal`.
    """
    number = header.number("NumberOfFrames")
    stated = int(number) if number is not None and number >= 1 else None
    lengths = _vector_lengths(header)
    stored = stored_frames(header)
    described = described_frames(header)
    vectors = max(lengths, default=None)
    claimed = vectors if stated is None else stated
    if stored is None:
        return _possible(path, claimed or described or 1), []
    if stored == stated:
        return _possible(path, stored), []
    if stored and (stored in lengths or (not lengths and stored == described) or claimed is None):
        return _possible(path, stored), _count_warning(header, stored, _agreeing(stored, lengths, described))
    claimed = _possible(path, claimed or 1)
    frames = counted(claimed, "frame")
    if stored < claimed:
        held = stored or "none"
        raise Refusal(path, f"The pixel data is cut off: it has {held} of {frames} in whole; copy or export it again.")
    if vectors not in (None, claimed):
        numbers = f"{frames}, describes {vectors} in its vectors and holds the pixels of {stored}"
        raise Refusal(path, f"The file states {numbers}; export it again.")
    kept = "one was" if claimed == 1 else f"{claimed} were"
    return claimed, [f"The file describes {frames} and holds the pixels of {stored}; the first {kept} read."]


def described_windows(header: Header) -> int:
    """Number of energy windows that the file describes; 1 if it describes none."""
    return _described(header, "NumberOfEnergyWindows", "EnergyWindowInformationSequence", "EnergyWindowVector") or 1


def described_detectors(header: Header) -> int | None:
    """Number of detectors that the file describes; None if it describes none."""
    return _described(header, "NumberOfDetectors", "DetectorInformationSequence", "DetectorVector")


def described_frames(header: Header) -> int | None:
    """Number of frames of all described detectors in all described windows; None if no detector is described."""
    detectors = described_detectors(header)
    return None if detectors is None else detectors * described_windows(header)


def stored_frames(header: Header) -> int | None:
    """Number of whole frames in the pixel data; None if there is none, or it was not read."""
    for keyword, bits in PIXEL_BITS.items():
        data = header.binary(keyword)
        if not data:
            continue
        syntax = header.transfer_syntax
        if syntax.is_private or not syntax.is_transfer_syntax:
            return None
        if syntax.is_encapsulated:
            return _streams(header, data)
        rows, columns = header.size
        frame_bits = rows * columns * (bits or header.integer("BitsAllocated") or 0)
        return 8 * len(data) // frame_bits if frame_bits > 0 else None
    return None


def _streams(header: Header, data: bytes) -> int | None:
    """Number of compressed streams; None if damage makes it uncertain."""
    if extended := header.binary("ExtendedOffsetTable"):
        return len(extended) // 8
    buffer = io.BytesIO(data)
    try:
        offsets = parse_basic_offsets(buffer)
        fragments = [fragment[:8] for fragment in islice(generate_fragments(buffer), _MOST_FRAGMENTS)]
    except Exception:  # struct.error, ValueError or EOFError; decoding reports the damage
        return None
    if offsets:
        return len(offsets)
    starts = sum(fragment.startswith(_START_OF_IMAGE) for fragment in fragments)
    # A run-length encoded frame is always one fragment; other streams have a known beginning.
    return starts or len(fragments)


def _vector_lengths(header: Header) -> list[int]:
    return [length for keyword in VECTORS if (length := len(header.numbers(keyword)))]


def _described(header: Header, number: str, sequence: str, vector: str) -> int | None:
    # The larger number counts if they differ: otherwise a second view could be taken for a second window.
    described = max(header.integer(number) or 0, len(header.items(sequence)))
    return described or len(set(header.numbers(vector))) or None


def _possible(path: Path, count: int) -> int:
    if count > _MOST_FRAMES:
        raise Refusal(path, f"The file has {count} frames; a planar scan has at most {_MOST_FRAMES}.")
    return count


def _agreeing(stored: int, lengths: list[int], described: int | None) -> str:
    if stored in lengths:
        return "vectors and pixels"
    return "description and pixels" if stored == described else "pixels"


def _count_warning(header: Header, stored: int, agreeing: str) -> list[str]:
    stated = header.number("NumberOfFrames")
    if stated is None and stored == 1:
        return []
    claim = "does not state its number of frames" if stated is None else f"states {stated:g} as its number of frames"
    return [f"The file {claim}; by its {agreeing}, {counted(stored, 'frame')} were read."]
