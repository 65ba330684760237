"""The pixels of a DICOM file as counts: what must hold before they are decoded, and decoding them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
from pydicom.encaps import generate_frames
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.utils import pixel_array
from pydicom.uid import UID

from napari_bonescint.formats.plausibility import require_possible_size
from napari_bonescint.formats.refusal import NotAPlanarScan, Refusal

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_bonescint.formats.dicom_header import Header

_TRUNCATED = "The pixel data is cut off; copy or export the file again."
_FLOAT_KEYWORDS = ("FloatPixelData", "DoubleFloatPixelData")

# JPEG, JPEG-LS and JPEG 2000 streams all end with this marker.
_END_OF_IMAGE = b"\xff\xd9"


def require_grey_pixels(header: Header, path: Path) -> None:
    """Refuse, from the header alone, what cannot be one grey value per pixel of a possible size."""
    photometric = header.text("PhotometricInterpretation").upper()
    grey = photometric.startswith("MONOCHROME") or not photometric
    if not grey or (header.integer("SamplesPerPixel") or 1) != 1:
        raise NotAPlanarScan(path, f"The image is in colour ({photometric}); only grey images can be segmented.")
    rows, columns = header.integer("Rows"), header.integer("Columns")
    if rows is None or columns is None:
        raise NotAPlanarScan(path, "The file holds no image.")
    require_possible_size(path, rows, columns)


def decode(header: Header, path: Path, frames: int) -> NDArray[np.generic]:
    """Decode all frames.

    Parameters
    ----------
    header : Header
        A whole data set that passed `require_grey_pixels`.
    path : Path
        The file, for the refusal.
    frames : int
        How many frames the header states.

    Returns
    -------
    ndarray of shape (frame, y, x)
        The stored values in native byte order, not rescaled.

    Raises
    ------
    Refusal
        If the pixels are missing, cut off, or written in a way that no installed decoder reads.
    """
    dataset = header.dataset
    _require_all_pixels(header, path, frames)
    syntax = UID(dataset.file_meta.TransferSyntaxUID)
    _silence_gdcm()
    try:
        pixels = pixel_array(dataset, raw=True)
    except Exception as error:  # every decoder raises something of its own on streams that it cannot read
        raise Refusal(path, f"The pixels ({syntax.name}) cannot be decoded; export the image uncompressed.") from error
    rows, columns = header.integer("Rows"), header.integer("Columns")
    if pixels.size != frames * (rows or 0) * (columns or 0):
        raise Refusal(path, _TRUNCATED)
    stack = pixels.reshape(frames, rows or 0, columns or 0)
    return np.ascontiguousarray(stack, dtype=stack.dtype.newbyteorder("="))


def is_lossy(header: Header) -> bool:
    """Whether the file says that its pixels went through lossy compression."""
    return header.text("LossyImageCompression") == "01"


def _silence_gdcm() -> None:
    """Keep gdcm from writing to standard error what pydicom raises anyway."""
    # Imported here, after pydicom: gdcm brings a zlib of its own, and if Python's zlib is loaded after it rather than
    # before, the two mix and the process dies (python-gdcm 3.2.6). pydicom loads them in the right order.
    import gdcm  # type: ignore[import-untyped]

    gdcm.Trace.WarningOff()
    gdcm.Trace.ErrorOff()


def _require_all_pixels(header: Header, path: Path, frames: int) -> None:
    dataset = header.dataset
    if any(header.has(keyword) for keyword in _FLOAT_KEYWORDS):
        return
    pixels = header.values("PixelData")
    data = pixels[0] if pixels else b""
    if not isinstance(data, bytes) or not data:
        raise Refusal(path, "The file holds no pixel data; export it again.")
    syntax = UID(dataset.file_meta.TransferSyntaxUID)
    try:
        get_decoder(syntax)
    except NotImplementedError as error:
        name = syntax.name if re.search(r"[A-Za-z]", syntax.name) else f"transfer syntax {syntax}"
        raise Refusal(path, f"The pixels ({name}) cannot be decoded; export the image uncompressed.") from error
    if syntax.is_encapsulated:
        _require_whole_streams(data, path, frames)
    else:
        bits = (header.integer("Rows") or 0) * (header.integer("Columns") or 0) * (header.integer("BitsAllocated") or 0)
        if len(data) < frames * bits // 8:
            raise Refusal(path, _TRUNCATED)


def _require_whole_streams(data: bytes, path: Path, frames: int) -> None:
    """Some decoders fill up a JPEG stream that ends early with grey, without a word."""
    try:
        streams = list(generate_frames(data, number_of_frames=frames))
    except Exception as error:  # struct.error, ValueError or EOFError, as the damage has it
        raise Refusal(path, _TRUNCATED) from error
    for stream in streams:
        if stream.startswith(b"\xff") and _END_OF_IMAGE not in stream[-16:]:
            raise Refusal(path, _TRUNCATED)
