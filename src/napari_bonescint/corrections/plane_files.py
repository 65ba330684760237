"""Counts, masks and probabilities of a store: TIFF files whose pixels must have the stated hash."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING

import numpy as np
import tifffile

from napari_bonescint.corrections.errors import Damaged, reachable

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

Shape = tuple[int, int, int]


def planes_sha256(planes: NDArray[np.generic]) -> str:
    """Hash of pixels, hexadecimal: SHA-256 of ``<u2 (2, 1024, 256)``, a line feed and the little-endian pixels.

    It is the pixels' and not the file's, so that it outlives a change of compression.
    """
    little = np.ascontiguousarray(planes, dtype=planes.dtype.newbyteorder("<"))
    # A byte has no order, and NumPy writes its type as |u1; the rest as <u2.
    header = f"{little.dtype.str} {tuple(map(int, little.shape))}\n"
    return hashlib.sha256(header.encode() + little.tobytes()).hexdigest()


def read_planes(path: Path, shape: Shape, sha256: str) -> NDArray[np.generic]:
    """Pixels of shape (view, y, x) from a file that `label_tiff.encode_planes` made.

    Raises
    ------
    Damaged
        If the file is missing, damaged, or holds other pixels than those with this hash.
    StoreError
        If it cannot be reached.
    """
    with reachable(path):
        try:
            content = path.read_bytes()
        except FileNotFoundError as error:
            raise Damaged(f"{path}: is missing.") from error
    try:
        planes = np.asarray(tifffile.imread(io.BytesIO(content))).reshape(shape)
        intact = planes_sha256(planes) == sha256
    except Exception:  # tifffile raises whatever its parser trips over
        intact = False
    if not intact:
        raise Damaged(f"{path}: is damaged: its pixels are not those that were saved.")
    return planes
