"""Decoding compressed DICOM frames with whatever decoder is installed. Runs in the child of `decoder_process`.

gdcm comes last: it ends the process on one wrong bit of a JPEG stream, and only for lossless JPEG there is nothing else
under a free licence (pylibjpeg-libjpeg is GPL).
"""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING

import numpy as np
from pydicom.encaps import encapsulate
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

# In pydicom's words, of one byte of each pixel of a frame.
_MORE_THAN_EXPECTED = re.compile(r"(\d+) vs\. (\d+) bytes expected")
_ORDER = ("pyjpegls", "pylibjpeg", "pillow", "pydicom", "gdcm")


def decode_frames(data: bytes, *, transfer_syntax: str, lengths: list[int], **facts: Any) -> NDArray[np.generic]:
    """Decode the frames of a compressed image.

    Parameters
    ----------
    data : bytes
        The streams of all frames, one after the other.
    transfer_syntax : str
        UID of the transfer syntax.
    lengths : list of int
        How long each stream is.
    **facts : int or str
        pydicom's decoding options: rows, columns, bits_allocated and so on.

    Returns
    -------
    ndarray of shape (frame, y, x) or (y, x)
        The stored values, not rescaled, bits above Bits Stored and all.
    """
    ends = np.cumsum(lengths)
    streams = [data[end - length : end] for end, length in zip(ends, lengths, strict=True)]
    encapsulated = encapsulate(streams)
    decoder = get_decoder(UID(transfer_syntax))
    available = decoder.available_plugins
    if "gdcm" in available:
        _silence_gdcm()
    options: dict[str, Any] = {"correct_unused_bits": False, **facts, "number_of_frames": len(lengths)}
    failure: Exception = NotImplementedError(transfer_syntax)
    for plugin in sorted(available, key=_ORDER.index):
        try:
            with warnings.catch_warnings(record=True) as told:
                warnings.simplefilter("always")
                pixels, _ = decoder.as_array(encapsulated, raw=True, decoding_plugin=plugin, **options)
            _require_no_more_rows([str(each.message) for each in told], options.get("columns", 0))
        except Exception as error:  # every decoder raises something of its own on streams that it cannot read
            failure = error
        else:
            return pixels
    raise failure


def _require_no_more_rows(told: list[str], columns: int) -> None:
    """Take no part of a run-length encoded frame for the whole of it: pydicom only warns that there is more."""
    for held, expected in (map(int, found.groups()) for each in told if (found := _MORE_THAN_EXPECTED.search(each))):
        # Less than a row is padding.
        if held >= expected + columns:
            raise ValueError(f"{held} bytes for {expected}")


def _silence_gdcm() -> None:
    """Keep gdcm from writing to standard error what pydicom raises anyway."""
    # Imported here, after pydicom: gdcm brings a zlib of its own, and if Python's zlib is loaded after it rather than
    # before, the two mix and the process dies (python-gdcm 3.2.6). pydicom loads them in the right order.
    import gdcm  # type: ignore[import-untyped]

    gdcm.Trace.WarningOff()
    gdcm.Trace.ErrorOff()
