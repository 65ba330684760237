"""Decode the pixels of a DICOM file, after checks that they can be decoded safely."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
from pydicom.encaps import generate_frames
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.utils import pixel_array

from napari_bonescint.formats.dicom.codecs import decode_frames
from napari_bonescint.formats.dicom.codestreams import stated_size
from napari_bonescint.formats.dicom.frame_count import stored_frames
from napari_bonescint.formats.safe_reading.budget import OverBudget, require_pixels
from napari_bonescint.formats.safe_reading.decoder_process import DECODER
from napari_bonescint.formats.safe_reading.plausibility import require_possible_size
from napari_bonescint.formats.safe_reading.refusal import NotAPlanarScan, Refusal
from napari_bonescint.text.formatting import counted

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_bonescint.formats.dicom.header import Header

_TRUNCATED = "The pixel data is cut off; copy or export the file again."
_SLACK = 2**16
_DECODING_OPTIONS = {
    "rows": "Rows",
    "columns": "Columns",
    "bits_allocated": "BitsAllocated",
    "bits_stored": "BitsStored",
    "pixel_representation": "PixelRepresentation",
}
_OFFSET_KEYWORDS = ("ExtendedOffsetTable", "ExtendedOffsetTableLengths")
_FLOAT_KEYWORDS = ("FloatPixelData", "DoubleFloatPixelData")

# PS3.3, C.7.6.3.1.2.
_COLOURS = {
    *("RGB", "PALETTE COLOR", "YBR_FULL", "YBR_FULL_422", "YBR_PARTIAL_420", "YBR_PARTIAL_422", "YBR_ICT", "YBR_RCT"),
    *("HSV", "ARGB", "CMYK", "XYB"),
}

# JPEG, JPEG-LS and JPEG 2000 streams all end with this marker.
_END_OF_IMAGE = b"\xff\xd9"


def require_grey_pixels(header: Header, path: Path) -> None:
    """Refuse, by the header alone, an image that is not grey or not of a possible size."""
    photometric = header.text("PhotometricInterpretation").upper()
    grey = photometric.startswith("MONOCHROME") or not photometric
    if not grey or (header.integer("SamplesPerPixel") or 1) != 1:
        colours = f" ({photometric})" if photometric in _COLOURS else ""
        raise NotAPlanarScan(path, f"The image is in colour{colours}; only grey images can be segmented.")
    rows, columns = header.integer("Rows"), header.integer("Columns")
    if rows is None or columns is None:
        raise NotAPlanarScan(path, "The file holds no image.")
    require_possible_size(path, rows, columns)


def decode(header: Header, path: Path, frames: int) -> NDArray[np.generic]:
    """Decode the first `frames` frames of a whole data set that passed `require_grey_pixels`.

    The result (frame, y, x) holds the stored values in native byte order, not rescaled, including bits above Bits
    Stored. Pixels that are missing, cut off, or in a format that no installed decoder reads, are a `Refusal`.
    """
    # The file's own values may be missing or wrong; see `frame_count`.
    _set(header, NumberOfFrames=frames, SamplesPerPixel=1)
    if not header.text("PhotometricInterpretation"):
        _set(header, PhotometricInterpretation="MONOCHROME2")
    rows, columns = header.size
    bits = header.integer("BitsAllocated") or 0
    require_pixels(path, frames, rows, columns, bytes_a_pixel=bits / 8)
    syntax = header.transfer_syntax
    streams = _require_all_pixels(header, path, frames)
    if streams is None and not any(header.has(keyword) for keyword in _FLOAT_KEYWORDS):
        _require_described_values(header, path)
    undecodable = _undecodable(path, syntax.name)
    try:
        if streams is None:
            pixels = pixel_array(header.dataset, raw=True, correct_unused_bits=False, allow_excess_frames=False)
        else:
            _require_stated_sizes(streams, path, rows, columns, bits)
            pixels = _decode_streams(header, path, streams, str(syntax))
    except Refusal:
        raise
    except Exception as error:  # CannotDecode, or pydicom's errors about contradictory attributes
        raise undecodable from error
    if pixels.size != frames * rows * columns:
        raise Refusal(path, _TRUNCATED)
    stack = pixels.reshape(frames, rows, columns)
    return np.ascontiguousarray(stack, dtype=stack.dtype.newbyteorder("="))


def _undecodable(path: Path, name: str) -> Refusal:
    return Refusal(path, f"The pixels ({name}) cannot be decoded; export the image uncompressed.")


def _set(header: Header, **values: object) -> None:
    """Replace attributes that describe the pixels; the file's values may be of any type."""
    for keyword, value in values.items():
        if header.has(keyword):
            del header.dataset[keyword]
        setattr(header.dataset, keyword, value)


def prepare_to_decode(header: Header) -> None:
    """Start the decoding process early, if the pixels of an image are compressed."""
    if header.transfer_syntax.is_encapsulated:
        DECODER.prepare(decode_frames)


def _require_described_values(header: Header, path: Path) -> None:
    """Refuse uncompressed pixels whose storage is not described, or is described impossibly."""
    allocated, stored = header.integer("BitsAllocated") or 0, header.integer("BitsStored") or 0
    if allocated != 1 and (allocated % 8 or allocated not in range(8, 65)):
        wrong = "Bits Allocated"
    elif not 0 < stored <= allocated:
        wrong = "Bits Stored"
    elif header.integer("PixelRepresentation") not in (0, 1):
        wrong = "Pixel Representation"
    else:
        return
    raise Refusal(path, f"{wrong} is missing or impossible, so the pixels cannot be read; export the image again.")


def _decode_streams(header: Header, path: Path, streams: list[bytes], syntax: str) -> NDArray[np.generic]:
    """Decode compressed frames in the child process, which gets no data that identifies anybody."""
    numbers = {name: header.integer(keyword) for name, keyword in _DECODING_OPTIONS.items()}
    return DECODER.decode(
        path,
        decode_frames,
        b"".join(streams),
        pixels=len(streams) * (numbers["rows"] or 0) * (numbers["columns"] or 0),
        transfer_syntax=syntax,
        lengths=[len(stream) for stream in streams],
        photometric_interpretation=header.text("PhotometricInterpretation").upper() or "MONOCHROME2",
        pixel_keyword="PixelData",
        samples_per_pixel=1,
        **{name: number for name, number in numbers.items() if number is not None},
    )


def _require_stated_sizes(streams: list[bytes], path: Path, rows: int, columns: int, bits: int) -> None:
    """Refuse a stream with another size than the file states, since decoders allocate memory for the stream's size."""
    for stream in streams:
        stated = stated_size(stream)
        if stated is not None and not stated.fits(rows, columns):
            size = f"{stated.columns} x {stated.rows} x {stated.samples} in {counted(stated.tiles, 'tile')}"
            sizes = f"The compressed image is {size} and the file states {columns} x {rows}"
            raise OverBudget(path, f"{sizes}, so it is damaged; export the image uncompressed.")
        # RLE may enlarge incompressible data a little, and adds up to 64 bytes.
        if len(stream) > 2 * rows * columns * bits // 8 + _SLACK:
            raise OverBudget(path, "The compressed image takes more bytes than an uncompressed one; export it again.")


def _require_all_pixels(header: Header, path: Path, frames: int) -> list[bytes] | None:
    """Refuse missing or incomplete pixels; return the streams of all frames if they are compressed."""
    if any(header.has(keyword) for keyword in _FLOAT_KEYWORDS):
        return None
    data = header.binary("PixelData")
    if not data:
        raise Refusal(path, "The file holds no pixel data; export it again.")
    syntax = header.transfer_syntax
    try:
        get_decoder(syntax)
    except NotImplementedError as error:
        name = syntax.name if re.search(r"[A-Za-z]", syntax.name) else f"transfer syntax {syntax}"
        raise _undecodable(path, name) from error
    if syntax.is_encapsulated:
        return _whole_streams(header, data, path, frames)
    rows, columns = header.size
    if len(data) < frames * rows * columns * (header.integer("BitsAllocated") or 0) // 8:
        raise Refusal(path, _TRUNCATED)
    return None


def _whole_streams(header: Header, data: bytes, path: Path, frames: int) -> list[bytes]:
    """The streams of all frames; cut-off streams are refused, since some decoders fill them up with grey silently."""
    table = [value for keyword in _OFFSET_KEYWORDS if (value := header.binary(keyword))]
    offsets = (table[0], table[1]) if len(table) == 2 else None
    try:
        held = max(frames, stored_frames(header) or 0)
        streams = list(islice(generate_frames(data, number_of_frames=held, extended_offsets=offsets), frames))
    except Exception as error:  # struct.error, ValueError or EOFError
        raise Refusal(path, _TRUNCATED) from error
    if len(streams) < frames:
        raise Refusal(path, _TRUNCATED)
    for stream in streams:
        if stream.startswith(b"\xff") and _END_OF_IMAGE not in stream[-16:]:
            raise Refusal(path, _TRUNCATED)
    return streams
