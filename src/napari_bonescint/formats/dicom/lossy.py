"""Whether the pixels of a DICOM file went through lossy compression: as the file states, or as its streams show."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from pydicom.encaps import generate_fragments, parse_basic_offsets
from pydicom.uid import UID, JPEG2000TransferSyntaxes, JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless

if TYPE_CHECKING:
    from napari_bonescint.formats.dicom.header import Header

_CERTAIN = "The image went through lossy compression, so its values are not quite the counts acquired."
_POSSIBLE = "The image's compression may be lossy, so its values may not quite be the counts acquired."

# In these all is lost that a decoder of discrete cosines rounds away.
_ALWAYS_LOSSY = {JPEGBaseline8Bit, JPEGExtended12Bit}
# These may be either, and are lossy unless file and stream both say otherwise: a stream that is reversible may still
# have been cut to a size. The last three are HTJ2K and JPEG XL, which pydicom has no names for in all versions.
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
    """Whether the pixels of a data set, or of files that they were made from, went through lossy compression."""
    return told_lossy(header) is not None


def told_lossy(header: Header) -> str | None:
    """A sentence for the user if the pixels went through lossy compression, or may have; None if they did not."""
    stated = header.text("LossyImageCompression")
    ratios = header.numbers("LossyImageCompressionRatio")
    if stated == "01" or header.text("LossyImageCompressionMethod") or any(ratio > 1 for ratio in ratios):
        return _CERTAIN
    syntax = UID(header.dataset.file_meta.TransferSyntaxUID)
    shown = _stream_is_lossy(_first_stream(header, syntax))
    if shown or syntax in _ALWAYS_LOSSY:
        return _CERTAIN
    if shown is False and (stated == "00" or syntax == JPEGLSNearLossless):
        return None
    return _POSSIBLE if syntax in _MAYBE_LOSSY else None


def signed_bits(header: Header) -> int | None:
    """How many bits a JPEG 2000 stream gives each value if these have a sign; None if not, or for other streams."""
    stream = _first_stream(header, UID(header.dataset.file_meta.TransferSyntaxUID))
    # ITU-T T.800, A.5.1: the byte after the image's size and number of components.
    if not stream.startswith(_J2K) or len(stream) < 43 or not stream[42] & 0x80:
        return None
    return (stream[42] & 0x7F) + 1


def _first_stream(header: Header, syntax: UID) -> bytes:
    data = next(iter(header.values("PixelData")), None)
    if not isinstance(data, bytes) or syntax.is_private or not syntax.is_encapsulated:
        return b""
    buffer = io.BytesIO(data)
    try:
        parse_basic_offsets(buffer)
        return next(generate_fragments(buffer), b"")
    except Exception:  # struct.error, ValueError or EOFError, as the damage has it; decoding says what is wrong
        return b""


def _stream_is_lossy(stream: bytes) -> bool | None:
    """Whether a compressed stream lost anything; None if it does not show."""
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
            # JPEG-LS (ITU-T T.87, C.2.3): the third byte from the end is how far values may be off.
            return len(content) > 2 and content[-3] != 0
        position += 2 + max(length, 2)
    return None
