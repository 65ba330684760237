"""Detect lossy compression of the pixels of a DICOM file, from its attributes and its compressed streams."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from pydicom.encaps import generate_fragments, parse_basic_offsets
from pydicom.uid import UID, JPEG2000TransferSyntaxes, JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless

if TYPE_CHECKING:
    from napari_bonescint.formats.dicom.header import Header

_CERTAIN = "The image was stored with lossy compression, so its values are not exactly the acquired counts."
_POSSIBLE = (
    "The image may have been stored with lossy compression, so its values may not be exactly the acquired counts."
)

# These syntaxes always round discrete cosine coefficients.
_ALWAYS_LOSSY = {JPEGBaseline8Bit, JPEGExtended12Bit}
# These syntaxes count as lossy unless both file and stream exclude it: a stream with a reversible transform may still
# be cut to a size. The last three are HTJ2K and JPEG XL, which have no name in some versions of pydicom.
_MAYBE_LOSSY = {
    JPEGLSNearLossless,
    *(syntax for syntax in JPEG2000TransferSyntaxes if not syntax.name.endswith("Only)")),
    UID("1.2.840.10008.1.2.4.203"),
    UID("1.2.840.10008.1.2.4.111"),
    UID("1.2.840.10008.1.2.4.112"),
}

_JPEG, _J2K = b"\xff\xd8", b"\xff\x4f\xff\x51"
# Start-of-frame markers (ITU-T T.81, table B.1; T.87): those of discrete cosines, of lossless JPEG, of JPEG-LS.
_COSINES = {0xC0, 0xC1, 0xC2, 0xC5, 0xC6, 0xC9, 0xCA, 0xCD, 0xCE}
_LOSSLESS = {0xC3, 0xC7, 0xCB, 0xCF}
_SCAN, _CODING_STYLE = 0xDA, 0x52
_MOST_MARKERS = 100


def is_lossy(header: Header) -> bool:
    """True if the pixels of a data set, or the files that they were made from, had lossy compression."""
    return lossy_warning(header) is not None


def lossy_warning(header: Header) -> str | None:
    """A warning if the pixels were, or may have been, stored with lossy compression; None if not."""
    stated = header.text("LossyImageCompression")
    ratios = header.numbers("LossyImageCompressionRatio")
    if stated == "01" or header.text("LossyImageCompressionMethod") or any(ratio > 1 for ratio in ratios):
        return _CERTAIN
    syntax = header.transfer_syntax
    shown = _stream_is_lossy(_first_stream(header, syntax))
    if shown or syntax in _ALWAYS_LOSSY:
        return _CERTAIN
    if shown is False and (stated == "00" or syntax == JPEGLSNearLossless):
        return None
    return _POSSIBLE if syntax in _MAYBE_LOSSY else None


def signed_bits(header: Header) -> int | None:
    """Bits of each value in a JPEG 2000 stream of signed values; None for unsigned values and other streams."""
    stream = _first_stream(header, header.transfer_syntax)
    # ITU-T T.800, A.5.1: the byte after the image's size and number of components.
    if not stream.startswith(_J2K) or len(stream) < 43 or not stream[42] & 0x80:
        return None
    return (stream[42] & 0x7F) + 1


def _first_stream(header: Header, syntax: UID) -> bytes:
    if syntax.is_private or not syntax.is_encapsulated:
        return b""
    buffer = io.BytesIO(header.binary("PixelData"))
    try:
        parse_basic_offsets(buffer)
        return next(generate_fragments(buffer), b"")
    except Exception:  # struct.error, ValueError or EOFError; decoding reports the damage
        return b""


def _stream_is_lossy(stream: bytes) -> bool | None:
    """True if a compressed stream lost information; None if the stream does not show it."""
    if not stream.startswith((_JPEG, _J2K)):
        return None
    position = 2
    for _ in range(_MOST_MARKERS):
        if position + 4 > len(stream) or stream[position] != 0xFF:
            return None
        marker, length = stream[position + 1], int.from_bytes(stream[position + 2 : position + 4], "big")
        content = stream[position + 4 : position + 2 + length]
        if stream.startswith(_J2K):
            # JPEG 2000 (ITU-T T.800, A.6.1): the tenth byte of the coding style is 0 for the irreversible transform.
            if marker == _CODING_STYLE:
                return len(content) > 9 and content[9] == 0
        elif marker in _COSINES:
            return True
        elif marker in _LOSSLESS:
            return False
        elif marker == _SCAN:
            # JPEG-LS (ITU-T T.87, C.2.3): the third byte from the end is the largest error of a value.
            return len(content) > 2 and content[-3] != 0
        position += 2 + max(length, 2)
    return None
