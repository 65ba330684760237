"""TIFF files of counts, masks and probabilities, which must have a known hash.

It is the hash of the pixels, see `planes_sha256`, or of the file, see `salted`. A hash of pixels can reveal a scan:
anybody who has the scan can compute it. A file with random bytes has a hash that only its owner can compute.
"""

from __future__ import annotations

import hashlib
import io
import secrets
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import tifffile

from napari_bonescint.corrections.errors import Damaged, read_bytes
from napari_bonescint.formats.masks.label_tiff import encode_planes
from napari_bonescint.formats.pictures.tiff_directories import require_sound_tiff

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_bonescint.scan import Spacing

Shape = tuple[int, int, int]


_SALT_BYTES = 16


class Salted(NamedTuple):
    """A file of pixels whose hash does not reveal them.

    Attributes
    ----------
    content : bytes
        A TIFF file followed by random bytes, which TIFF readers ignore.
    sha256 : str
        Hash of `content`, hexadecimal.
    """

    content: bytes
    sha256: str


def salted(planes: NDArray[np.generic], spacing: Spacing | None) -> Salted:
    """A file for `read_planes` from pixels of shape (view, y, x) with a spacing (y, x) in mm."""
    content = encode_planes(planes, spacing) + secrets.token_bytes(_SALT_BYTES)
    return Salted(content, hashlib.sha256(content).hexdigest())


def planes_sha256(planes: NDArray[np.generic]) -> str:
    """Hash of pixels, hexadecimal: SHA-256 of ``<u2 (2, 1024, 256)``, a line feed and the little-endian pixels.

    It does not depend on the compression of the file.
    """
    little = np.ascontiguousarray(planes, dtype=planes.dtype.newbyteorder("<"))
    # NumPy writes the type of bytes as |u1, of other numbers as <u2.
    header = f"{little.dtype.str} {tuple(map(int, little.shape))}\n"
    return hashlib.sha256(header.encode() + little.tobytes()).hexdigest()


def read_planes(path: Path, shape: Shape, sha256: str) -> NDArray[np.generic]:
    """Read pixels of shape (view, y, x) from a file made by `label_tiff.encode_planes` or `salted`.

    `sha256` is the hash of the file or of its pixels.

    Raises
    ------
    Damaged
        If the file is missing or damaged, or has another hash.
    StoreError
        If it cannot be reached.
    """
    content = read_bytes(path)
    try:
        intact = hashlib.sha256(content).hexdigest() == sha256
        if not intact:
            # In earlier versions, the hash was that of the pixels.
            require_sound_tiff(path, content)
        planes = np.asarray(tifffile.imread(io.BytesIO(content))).reshape(shape)
        intact = intact or planes_sha256(planes) == sha256
    except Exception:  # tifffile raises whatever its parser trips over
        intact = False
    if not intact:
        raise Damaged(f"{path}: is damaged: its pixels are not those that were saved.")
    return planes
