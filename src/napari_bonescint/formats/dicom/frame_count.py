"""How many frames a Nuclear Medicine image has: as it states, or as its vectors and its pixels say otherwise."""

from __future__ import annotations

import io
from itertools import islice
from typing import TYPE_CHECKING

from pydicom.encaps import generate_fragments, parse_basic_offsets
from pydicom.uid import UID

from napari_bonescint.formats.safe_reading.refusal import Refusal
from napari_bonescint.text import counted

if TYPE_CHECKING:
    from pathlib import Path

    from napari_bonescint.formats.dicom.header import Header

# Two detectors and a handful of windows; a file with more frames than this is a series in time or around the patient.
_MOST_FRAMES = 64

VECTORS = {"EnergyWindowVector": "Energy Window Vector", "DetectorVector": "Detector Vector"}
PIXEL_BITS = {"PixelData": None, "FloatPixelData": 32, "DoubleFloatPixelData": 64}
"""Attributes that hold pixels, and how many bits each takes; None where the header says so."""

_MOST_FRAGMENTS = 2**16
_START_OF_IMAGE = (b"\xff\xd8\xff", b"\xff\x4f\xff\x51", b"\x00\x00\x00\x0cjP", b"\xff\x0a")


def is_settled(header: Header) -> bool:
    """Whether header and vectors agree on the number of frames, so that nobody need look at the pixels."""
    stated = header.number("NumberOfFrames")
    expected: list[int | None] = [*_vector_lengths(header)] or [described_frames(header)]
    return stated is not None and all(number in (None, stated) for number in expected)


def settle_frame_count(header: Header, path: Path) -> tuple[int, list[str]]:
    """The number of frames on which two of these agree: what the file states, its vectors, and its pixels.

    Parameters
    ----------
    header : Header
        A data set; if it holds no pixels, these are left out of account.
    path : Path
        The file, for the refusal.

    Returns
    -------
    count : int
        How many frames there are to read.
    warnings : list of str
        Sentences for the user, where the file contradicts itself.

    Raises
    ------
    Refusal
        If the file holds fewer pixels than it describes, or too many frames, or if nothing in it agrees.
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
        return _possible(path, stored), _told(header, stored, _agreeing(stored, lengths, described))
    claimed = _possible(path, claimed or 1)
    if stored < claimed:
        raise Refusal(
            path,
            f"The pixel data is cut off: the file describes {counted(claimed, 'frame')} and holds "
            f"{stored or 'none'} in whole; copy or export it again.",
        )
    if vectors not in (None, claimed):
        raise Refusal(
            path,
            f"The file states {counted(claimed, 'frame')}, describes {vectors} in its vectors and holds the pixels of "
            f"{stored}; export it again.",
        )
    kept = "one was" if claimed == 1 else f"{claimed} were"
    told = f"The file describes {counted(claimed, 'frame')} and holds the pixels of {stored}; the first {kept} read."
    return claimed, [told]


def described_windows(header: Header) -> int:
    """How many energy windows the file describes; 1 if it describes none."""
    return _described(header, "NumberOfEnergyWindows", "EnergyWindowInformationSequence", "EnergyWindowVector") or 1


def described_detectors(header: Header) -> int | None:
    """How many detectors the file describes; None if it describes none."""
    return _described(header, "NumberOfDetectors", "DetectorInformationSequence", "DetectorVector")


def described_frames(header: Header) -> int | None:
    """How many frames all described detectors make in all described windows; None if no detector is described."""
    detectors = described_detectors(header)
    return None if detectors is None else detectors * described_windows(header)


def stored_frames(header: Header) -> int | None:
    """How many whole frames the pixels of a data set are; None if it holds none, or was read without them."""
    for keyword, bits in PIXEL_BITS.items():
        data = next(iter(header.values(keyword)), None)
        if not isinstance(data, bytes) or not data:
            continue
        syntax = UID(header.dataset.file_meta.TransferSyntaxUID)
        if syntax.is_private or not syntax.is_transfer_syntax:
            return None
        if syntax.is_encapsulated:
            return _streams(header, data)
        pixels = (header.integer("Rows") or 0) * (header.integer("Columns") or 0)
        frame_bits = pixels * (bits or header.integer("BitsAllocated") or 0)
        return 8 * len(data) // frame_bits if frame_bits > 0 else None
    return None


def _streams(header: Header, data: bytes) -> int | None:
    """How many compressed streams there are; None if they are cut off in a way that no count survives."""
    extended = next(iter(header.values("ExtendedOffsetTable")), None)
    if isinstance(extended, bytes) and extended:
        return len(extended) // 8
    buffer = io.BytesIO(data)
    try:
        offsets = parse_basic_offsets(buffer)
        fragments = [fragment[:8] for fragment in islice(generate_fragments(buffer), _MOST_FRAGMENTS)]
    except Exception:  # struct.error, ValueError or EOFError, as the damage has it; decoding says what is wrong
        return None
    if offsets:
        return len(offsets)
    starts = sum(fragment.startswith(_START_OF_IMAGE) for fragment in fragments)
    # A run-length encoded frame is always one fragment; others are known by how they begin.
    return starts or len(fragments)


def _vector_lengths(header: Header) -> list[int]:
    return [length for keyword in VECTORS if (length := len(header.numbers(keyword)))]


def _described(header: Header, number: str, sequence: str, vector: str) -> int | None:
    # Where the two contradict each other, a view that is there must not be taken for a window that is not.
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


def _told(header: Header, stored: int, agreeing: str) -> list[str]:
    stated = header.number("NumberOfFrames")
    if stated is None and stored == 1:
        return []
    what = "does not state its number of frames" if stated is None else f"states {stated:g} as its number of frames"
    return [f"The file {what}; by its {agreeing}, {counted(stored, 'frame')} were read."]
