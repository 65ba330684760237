"""Decode compressed DICOM frames with the installed decoders; runs in the child of `decoder_process`.

gdcm is the last choice: one wrong bit in a JPEG stream makes it end the process. For lossless JPEG it is the only
decoder under a free licence (pylibjpeg-libjpeg is GPL).
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

# The text of pydicom's warning, in bytes for one byte of each pixel of a frame.
_MORE_THAN_EXPECTED = re.compile(r"(\d+) vs\. (\d+) bytes expected")
_ORDER = ("pyjpegls", "pylibjpeg", "pillow", "pydicom", "gdcm")


def decode_frames(data: bytes, *, transfer_syntax: str, lengths: list[int], **facts: Any) -> NDArray[np.generic]:
    """Decode the frames of a compressed image: stored values (frame, y, x) or (y, x), not rescaled, with all bits.

    `data` holds the streams of all frames one after the other, with their `lengths` in bytes. `facts` are pydicom's
    decoding options: rows, columns, bits_allocated and so on.
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
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                pixels, _ = decoder.as_array(encapsulated, raw=True, decoding_plugin=plugin, **options)
            _require_no_more_rows([str(warning.message) for warning in caught], options.get("columns", 0))
        except Exception as error:  # decoders raise exceptions of their own
            failure = error
        else:
            return pixels
    raise failure


def _require_no_more_rows(messages: list[str], columns: int) -> None:
    """Refuse a run-length encoded frame that holds more rows than expected; pydicom only warns."""
    sizes = [map(int, found.groups()) for text in messages if (found := _MORE_THAN_EXPECTED.search(text))]
    for held, expected in sizes:
        # Less than a row is padding.
        if held >= expected + columns:
            raise ValueError(f"{held} bytes for {expected}")


def _silence_gdcm() -> None:
    """Silence the error output of gdcm; pydicom raises the same errors."""
    # The import comes after pydicom's, which loads Python's zlib first. gdcm has a zlib of its own; if it is loaded
    # first, the two mix and the process crashes (python-gdcm 3.2.6).
    import gdcm  # type: ignore[import-untyped]

    gdcm.Trace.WarningOff()
    gdcm.Trace.ErrorOff()
