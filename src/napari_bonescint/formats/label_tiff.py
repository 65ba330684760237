"""Masks as TIFF: one uint8 page for each view, compressed, with the pixel spacing, readable by any TIFF reader."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import tifffile

from napari_bonescint.atomic import write_bytes_atomically
from napari_bonescint.formats.refusal import Refusal
from napari_bonescint.formats.source_file import read_whole

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_bonescint.scan import Spacing

_MM_PER_CM = 10.0
# Two views of the largest scan that is read.
_MOST_PIXELS = 2 * 8192**2
_SPACING_KEY = "spacing_mm"


class Labels(NamedTuple):
    """Masks as read from a file.

    Attributes
    ----------
    masks : ndarray of uint8, shape (view, y, x)
        Region codes, or 0 and 1.
    spacing : (float, float) or None
        Pixel spacing (y, x) in mm; None if the file gives none.
    """

    masks: NDArray[np.uint8]
    spacing: Spacing | None


def write_labels(path: Path, masks: NDArray[np.uint8], spacing: Spacing | None) -> None:
    """Write masks whole or not at all.

    Parameters
    ----------
    path : Path
        Where to write; a file already there is replaced.
    masks : ndarray of uint8, shape (view, y, x)
        Region codes, or 0 and 1.
    spacing : (float, float) or None
        Pixel spacing (y, x) in mm, kept in the resolution tags and, exactly, in the description.

    Raises
    ------
    CannotWrite
        If the file cannot be written.
    """
    if masks.dtype != np.uint8 or masks.ndim != 3:
        raise ValueError(f"masks of {masks.dtype} and shape {masks.shape} are not uint8 (view, y, x)")
    write_bytes_atomically(path, encode_planes(masks, spacing))


def encode_planes(planes: NDArray[np.generic], spacing: Spacing | None) -> bytes:
    """The bytes of a TIFF with one page for each view, of any numbers: masks, counts, probabilities.

    Parameters
    ----------
    planes : ndarray of shape (view, y, x)
        What to encode.
    spacing : (float, float) or None
        Pixel spacing (y, x) in mm, kept in the resolution tags and, exactly, in the description.
    """
    metadata: dict[str, object] = {"axes": "QYX"}
    resolution = None
    if spacing is not None:
        metadata[_SPACING_KEY] = list(spacing)
        resolution = (_MM_PER_CM / spacing[1], _MM_PER_CM / spacing[0])
    buffer = io.BytesIO()
    tifffile.imwrite(
        buffer,
        planes,
        photometric="minisblack",
        compression="zlib",
        metadata=metadata,
        resolution=resolution,
        resolutionunit="NONE" if resolution is None else "CENTIMETER",
        software="napari-bonescint",
    )
    return buffer.getvalue()


def read_labels(path: Path) -> Labels:
    """Read masks that `write_labels` wrote, or any TIFF of uint8 with one page for each view.

    Raises
    ------
    Refusal
        If the file is missing, damaged, or holds no masks.
    """
    content = read_whole(path)
    try:
        with tifffile.TiffFile(io.BytesIO(content)) as tiff:
            if tiff.series[0].size > _MOST_PIXELS:
                raise Refusal(path, "The image is larger than the masks of any scan.")
            masks = tiff.asarray()
            spacing = _spacing(tiff)
    except Refusal:
        raise
    except Exception as error:  # tifffile raises whatever its parser trips over
        raise Refusal(path, "The file is no TIFF, or damaged; masks are read from TIFF files.") from error
    if masks.dtype != np.uint8 or masks.ndim not in (2, 3):
        raise Refusal(path, f"The file holds {masks.dtype} of shape {masks.shape}, not uint8 masks (view, y, x).")
    return Labels(masks if masks.ndim == 3 else masks[np.newaxis], spacing)


def _spacing(tiff: tifffile.TiffFile) -> Spacing | None:
    for described in tiff.shaped_metadata or ():
        stated = described.get(_SPACING_KEY)
        if isinstance(stated, list) and len(stated) == 2:
            return float(stated[0]), float(stated[1])
    page = tiff.pages.first
    if page.resolutionunit == tifffile.RESUNIT.NONE:
        return None
    x, y = page.get_resolution(tifffile.RESUNIT.MILLIMETER)
    return (1 / y, 1 / x) if x > 0 and y > 0 else None
