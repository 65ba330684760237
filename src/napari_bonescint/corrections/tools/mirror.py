"""The midline of the body, and mirroring of one side onto the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.fft import irfft2, next_fast_len, rfft2
from scipy.ndimage import binary_dilation, gaussian_filter
from skimage.measure import label, regionprops

from napari_bonescint.anatomy import CODES

if TYPE_CHECKING:
    from numpy.typing import NDArray

ImageSide = Literal["left", "right"]

_ON_THE_MIDLINE = [CODES[name] for name in ("cervical_spine", "thoracic_spine", "lumbar_spine", "sacrum", "sternum")]
_FEWEST_ROWS = 10
_MOST_TILT = 0.1


def midline(regions: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Column of the midline of the body in each row, float64 of shape (y,): a straight line along the spine.

    Above and below the spine, the line is vertical, because head and legs move freely. Without a spine, it is the
    vertical line through the middle of all bone, or of the image if there is no bone.
    """
    rows, columns = np.nonzero(np.isin(regions, _ON_THE_MIDLINE))
    height, width = regions.shape
    pixels = np.bincount(rows, minlength=height)
    seen = np.flatnonzero(pixels)
    if seen.size < _FEWEST_ROWS:
        bone = np.nonzero(regions)[1]
        return np.full(height, bone.mean() if bone.size else (width - 1) / 2)
    middle = np.bincount(rows, weights=columns, minlength=height)[seen] / pixels[seen]
    # Medians of slopes and offsets are robust against a few rows of a bent spine (Theil and Sen).
    half = seen.size // 2
    slope = np.median((middle[half:] - middle[: seen.size - half]) / (seen[half:] - seen[: seen.size - half]))
    slope = np.clip(slope, -_MOST_TILT, _MOST_TILT)
    return np.asarray(np.median(middle - slope * seen) + slope * np.clip(np.arange(height), seen[0], seen[-1]))


_FARTHEST = 8
_RING = 3
_MARGIN = _RING + _FARTHEST
_JOINED = 1.5


def mirror_side(regions: NDArray[np.uint8], counts: NDArray[np.generic], good_side: ImageSide) -> NDArray[np.uint8]:
    """Replace one side of the mask by the mirror image of the good side, which is the left or right of the image.

    Arms and legs are never quite symmetric. Therefore each mirrored piece that does not touch the midline is moved by
    up to 8 pixels to the place of the best contrast in the counts.
    """
    height, width = regions.shape
    middle = midline(regions)[:, None]
    columns = np.arange(width)[None, :]
    is_good = columns < middle if good_side == "left" else columns > middle
    source = np.rint(2 * middle).astype(np.intp) - columns
    there = (source >= 0) & (source < width) & ~is_good
    mirrored = np.where(there, np.take_along_axis(regions, np.clip(source, 0, width - 1), axis=1), 0)
    uptake = np.sqrt(gaussian_filter(counts.astype(np.float32), 1.0))
    uptake = np.pad(uptake, _MARGIN, mode="edge")
    result = np.where(is_good, regions, np.uint8(0))
    pieces = label(mirrored, connectivity=2)
    at_midline = set(np.unique(pieces[np.abs(columns - middle) <= _JOINED]).tolist())
    for piece in regionprops(pieces):
        y0, x0, _, _ = piece.bbox
        shape = piece.image
        dy, dx = (0, 0) if piece.label in at_midline else _best_shift(shape, (y0, x0), uptake)
        rows, cols = np.nonzero(shape)
        codes = mirrored[rows + y0, cols + x0]
        rows, cols = rows + y0 + dy, cols + x0 + dx
        kept = (rows >= 0) & (rows < height) & (cols >= 0) & (cols < width)
        rows, cols, codes = rows[kept], cols[kept], codes[kept]
        free = ~is_good[rows, cols]
        result[rows[free], cols[free]] = codes[free]
    return np.asarray(result, np.uint8)


def _best_shift(piece: NDArray[np.bool_], corner: tuple[int, int], uptake: NDArray[np.float32]) -> tuple[int, int]:
    """The shift (rows, columns) of a piece with the best contrast to its surroundings.

    `corner` is the upper left pixel of the piece; `uptake` has a margin of `_MARGIN` pixels on each side of the image.
    """
    (height, width), (top, left) = piece.shape, corner
    around = np.zeros((height + 2 * _RING, width + 2 * _RING), bool)
    around[_RING:-_RING, _RING:-_RING] = piece
    ring = binary_dilation(around, iterations=_RING) & ~around
    weights = (around / around.sum() - ring / ring.sum()).astype(np.float32)
    window = uptake[top : top + height + 2 * _MARGIN, left : left + width + 2 * _MARGIN]
    # Correlation by the Fourier transform; the wrapped part lies outside of the possible shifts.
    size = [next_fast_len(side, real=True) for side in window.shape]
    spectrum = rfft2(window, size) * np.conj(rfft2(weights, size))
    contrast = irfft2(spectrum, size)[: 2 * _FARTHEST + 1, : 2 * _FARTHEST + 1]
    row, column = np.unravel_index(int(contrast.argmax()), contrast.shape)
    return int(row) - _FARTHEST, int(column) - _FARTHEST
