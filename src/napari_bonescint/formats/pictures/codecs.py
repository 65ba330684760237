"""Decode the pages of TIFF files by native decoders; runs in the child of `decoder_process`."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import tifffile

if TYPE_CHECKING:
    from numpy.typing import NDArray

ALL_PLANES = -1
"""Number in place of a page: all planes of a file with one directory for them."""


class CodecMissing(Exception):
    """The decoder is not installed."""


def decode_tiff(content: bytes, *, page: int) -> NDArray[np.generic]:
    """Pixels of a page, counted from 0, in tifffile's order of axes."""
    with tifffile.TiffFile(io.BytesIO(content), _multifile=False) as tiff:
        source = tiff.series[0] if page == ALL_PLANES else tiff.pages[page]
        try:
            return np.asarray(source.asarray())
        except Exception as error:
            # tifffile's message if imagecodecs is missing, or too old.
            if "imagecodecs" in str(error):
                raise CodecMissing from error
            raise
