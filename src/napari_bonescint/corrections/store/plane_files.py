"""Counts, masks and probabilities of a store: TIFF files that must have the stated hash.

It is either the hash of the pixels, see `planes_sha256`, or that of the file, see `salted`. Whoever has a scan can
compute the hash of its pixels, and so find its case among facts that got around. Nobody can compute the hash of a file
with random bytes in it who does not have that very file.
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
    """A file of pixels whose hash tells nothing about them.

    Attributes
    ----------
    content : bytes
        A TIFF file, and random bytes after it, which readers of TIFF files do not look at.
    sha256 : str
        Hash of `content`, hexadecimal.
    """

    content: bytes
    sha256: str


def salted(planes: NDArray[np.generic], spacing: Spacing | None) -> Salted:
    """A file that `read_planes` reads, and its hash.

    Parameters
    ----------
    planes : ndarray, shape (view, y, x)
        Pixels.
    spacing : (float, float) or None
        Pixel spacing (y, x) in mm.
    """
    content = encode_planes(planes, spacing) + secrets.token_bytes(_SALT_BYTES)
    return Salted(content, hashlib.sha256(content).hexdigest())


def planes_sha256(planes: NDArray[np.generic]) -> str:
    """Hash of pixels, hexadecimal: SHA-256 of ``<u2 (2, 1024, 256)``, a line feed and the little-endian pixels.

    It is the pixels' and not the file's, so that it outlives a change of compression.
    """
    little = np.ascontiguousarray(planes, dtype=planes.dtype.newbyteorder("<"))
    # A byte has no order, and NumPy writes its type as |u1; the rest as <u2.
    header = f"{little.dtype.str} {tuple(map(int, little.shape))}\n"
    return hashlib.sha256(header.encode() + little.tobytes()).hexdigest()


def read_planes(path: Path, shape: Shape, sha256: str) -> NDArray[np.generic]:
    """Pixels of shape (view, y, x) from a file that `label_tiff.encode_planes` or `salted` made.

    Parameters
    ----------
    path : Path
        The file.
    shape : (int, int, int)
        What it must hold.
    sha256 : str
        Hash of the file or of its pixels.

    Raises
    ------
    Damaged
        If the file is missing, damaged, or another than the one with this hash.
    StoreError
        If it cannot be reached.
    """
    content = read_bytes(path)
    try:
        intact = hashlib.sha256(content).hexdigest() == sha256
        if not intact:
            # It may be a file of an earlier version, whose hash is that of its pixels, or anything.
            require_sound_tiff(path, content)
        planes = np.asarray(tifffile.imread(io.BytesIO(content))).reshape(shape)
        intact = intact or planes_sha256(planes) == sha256
    except Exception:  # tifffile raises whatever its parser trips over
        intact = False
    if not intact:
        raise Damaged(f"{path}: is damaged: its pixels are not those that were saved.")
    return planes
