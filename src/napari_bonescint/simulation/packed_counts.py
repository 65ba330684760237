"""Expected counts in a few bytes: rounded square roots, of which only the differences between neighbours are kept.

The square root makes the Poisson noise of all pixels 0.5 (Anscombe, Biometrika 1948). In a view of 3 million counts,
more than training draws, the roots are rounded to multiples of `STEP`. The rounding then has 1.3 % of the variance of
the noise, in each pixel and for any sum of sources; in a scan with fewer counts, less.
"""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

STEP = 0.2
"""Step of the square roots of counts; the noise is 0.5."""

TOTAL = 3e6
"""Counts in a view, for which `STEP` holds."""


def pack_counts(expected: NDArray[np.float32], total: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Round expected counts.

    Parameters
    ----------
    expected : ndarray of float32, shape (view, y, x)
        Expected counts of one source.
    total : ndarray of float32, shape (view,)
        Expected counts of each view that `TOTAL` stands for: those of all sources but excreted tracer.

    Returns
    -------
    ndarray of uint8, shape (2, view, y, x)
        Low and high byte of the second differences (down and across) of the rounded roots. An archive compresses them.
    """
    roots = np.sqrt(expected * (TOTAL / np.maximum(total, 1e-30))[:, None, None]) / STEP
    values = np.minimum(np.round(roots), np.iinfo(np.uint16).max).astype(np.uint16)
    # Unsigned differences wrap around, and so do the sums that undo them.
    for axis in (-1, -2):
        values = np.diff(values, axis=axis, prepend=np.uint16(0))
    # The low byte is signed, so that the high byte is 0 for small negative differences, too.
    return np.stack([values & 255, (values + np.uint16(128)) >> 8]).astype(np.uint8)


def unpack_counts(packed: NDArray[np.uint8], total: NDArray[np.float32]) -> NDArray[np.float32]:
    """The expected counts (view, y, x) that `pack_counts` rounded."""
    values = (packed[1].astype(np.uint16) << 8) + packed[0].view(np.int8).astype(np.uint16)
    for axis in (-2, -1):
        values = np.cumsum(values, axis=axis, dtype=np.uint16)
    expected: NDArray[np.float32] = np.square(values.astype(np.float32) * STEP) * (total / TOTAL)[:, None, None]
    return expected


def compress_archive(arrays: Mapping[str, Any]) -> bytes:
    """A NumPy archive in LZMA, a sixth smaller than that of `numpy.savez_compressed`; `numpy.load` reads it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_LZMA) as archive:
        for name, values in arrays.items():
            # A fixed date, so that the same case makes the same file.
            member = zipfile.ZipInfo(f"{name}.npy")
            member.compress_type = zipfile.ZIP_LZMA
            with archive.open(member, "w") as file:
                np.lib.format.write_array(file, np.asanyarray(values), allow_pickle=False)
    return buffer.getvalue()
