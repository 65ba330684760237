"""Convert the stored values of a DICOM file to counts, without padding and undershoot, with warnings."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_bonescint.formats.dicom.lossy import is_lossy, signed_bits
from napari_bonescint.formats.dicom.pixels import decode
from napari_bonescint.text.formatting import counted

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_bonescint.formats.dicom.header import Header

# For each attribute that holds pixels, those that mark pixels outside the image (PS3.3, C.7.5.1.1.2).
_PADDING = {
    "PixelData": ("PixelPaddingValue", "PixelPaddingRangeLimit"),
    "FloatPixelData": ("FloatPixelPaddingValue", "FloatPixelPaddingRangeLimit"),
    "DoubleFloatPixelData": ("DoubleFloatPixelPaddingValue", "DoubleFloatPixelPaddingRangeLimit"),
}
_OVERLAYS = range(0x6000, 0x6020, 2)
_OVERLAY_BIT, _OVERLAY_DATA = 0x0102, 0x3000


def read_counts(header: Header, path: Path, frames: int) -> tuple[NDArray[Any], list[str]]:
    """Decode the first `frames` frames of a whole data set, and convert the stored values to counts (frame, y, x).

    Padding and negative values of a lossy compression become 0. There is a warning for each change and each oddity.
    Pixels that cannot be decoded are a `Refusal`.
    """
    return as_counts(header, decode(header, path, frames))


def as_counts(header: Header, stored: NDArray[Any]) -> tuple[NDArray[Any], list[str]]:
    """Convert stored values of shape (frame, y, x) to counts and warnings; see `read_counts`."""
    keyword = next((keyword for keyword in _PADDING if header.has(keyword)), "PixelData")
    in_bits = _within_bits_stored(header, stored) if keyword == "PixelData" else stored
    padding = _is_padding(header, keyword, stored)
    if in_bits is not stored:
        padding |= _is_padding(header, keyword, in_bits)
    counts = stored
    warnings = []
    if padding.any():
        counts = np.where(padding, stored.dtype.type(0), stored)
        in_bits = np.where(padding, stored.dtype.type(0), in_bits)
        if stored[padding].any():
            warnings.append("Pixels that the file marks as padding, outside the image, were taken as 0 counts.")
    beyond = counts != in_bits
    # NaN differs from itself, so floating-point values are left out.
    if counts.dtype.kind != "f" and beyond.any():
        treatment = "they were taken as part of the counts"
        if _has_overlay_in_pixels(header):
            counts, treatment = in_bits, "they hold an overlay and were left out"
        found = counted(int(beyond.sum()), "pixel")
        warnings.append(
            f"Bits above the {header.integer('BitsStored')} of Bits Stored hold values in {found}; {treatment}."
        )
    if is_lossy(header):
        counts, clipped = _without_undershoot(counts, signed_bits(header))
        if clipped:
            found = counted(clipped, "pixel")
            warnings.append(f"Lossy compression left {found} below zero; 0 was taken instead.")
    return counts, warnings


def _is_padding(header: Header, keyword: str, pixels: NDArray[Any]) -> NDArray[np.bool_]:
    value, limit = (_as_stored(header, name, pixels.dtype) for name in _PADDING[keyword])
    if value is None:
        return np.zeros(pixels.shape, np.bool_)
    if np.isnan(value):
        return np.asarray(np.isnan(pixels))
    if limit is None or np.isnan(limit):
        return np.asarray(pixels == value)
    low, high = sorted((value, limit))
    within: NDArray[np.bool_] = (pixels >= low) & (pixels <= high)
    return within


def _as_stored(header: Header, keyword: str, dtype: np.dtype[Any]) -> int | float | None:
    """The value of an attribute as a stored pixel of a type, whatever sign the attribute's own type gives it."""
    value = next(iter(header.values(keyword)), None)
    if isinstance(value, bytes):
        # The file leaves the type unknown.
        value = int.from_bytes(value[: dtype.itemsize], "little")
    if not isinstance(value, int | float) or (dtype.kind != "f" and not math.isfinite(value)):
        return None
    if dtype.kind == "f":
        number: float = dtype.type(value).item()
        return number
    bits = 8 * dtype.itemsize
    stored: int = int(value) % 2**bits
    return stored - 2**bits if dtype.kind == "i" and stored >= 2 ** (bits - 1) else stored


def _within_bits_stored(header: Header, stored: NDArray[Any]) -> NDArray[Any]:
    bits = header.integer("BitsStored")
    return stored if bits is None or stored.dtype.kind not in "ui" else _lowest_bits(stored, bits)


def _lowest_bits(stored: NDArray[Any], bits: int) -> NDArray[Any]:
    """The values of the lowest bits, with their own sign if the type has one."""
    width = 8 * stored.dtype.itemsize
    if not 0 < bits < width:
        return stored
    return np.asarray(np.right_shift(np.left_shift(stored, width - bits), width - bits))


def _has_overlay_in_pixels(header: Header) -> bool:
    """True if an overlay plane is stored in unused bits of the pixels, as before 2004."""
    for group in _OVERLAYS:
        position = header.dataset.get((group, _OVERLAY_BIT))
        if position is not None and position.value and (group, _OVERLAY_DATA) not in header.dataset:
            return True
    return False


def _without_undershoot(counts: NDArray[Any], signed: int | None) -> tuple[NDArray[Any], int]:
    """Clip negative values to 0 and count them, unless they exceed an undershoot at edges.

    `signed` is the number of bits of a value in its stream, if the stream has signed values. If the header denies the
    sign, negative values appear as large ones.
    """
    values = counts
    if counts.dtype.kind == "u" and signed is not None:
        values = _lowest_bits(counts.view(counts.dtype.name.removeprefix("u")), signed)
    low, high = float(values.min()), float(values.max())
    if not low < 0 or -low > high:
        return counts, 0
    return np.maximum(values, values.dtype.type(0)).astype(counts.dtype), int((values < 0).sum())
