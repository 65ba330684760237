"""The midline of the body, and mirroring of bones from one side to the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.fft import irfft2, next_fast_len, rfft2
from scipy.ndimage import binary_dilation, gaussian_filter
from skimage.measure import label, regionprops

from napari_bonescint.anatomy import CODES, REGIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

ImageSide = Literal["left", "right"]

ALL_BONES = tuple(region.code for region in REGIONS[1:])

_ON_THE_MIDLINE = [CODES[name] for name in ("cervical_spine", "thoracic_spine", "lumbar_spine", "sacrum", "sternum")]
_LEGS = [CODES[name] for name in ("femur", "lower_leg", "foot")]
_FEWEST_ROWS = 10
_MOST_TILT = 0.1
_MOST_TILT_OF_LEGS = 0.2


def midline(regions: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Column of the midline of the body in each row, float64 of shape (y,).

    A straight line along the spine; above the spine, it is vertical, because the head moves freely. Below the spine, a
    straight line between the legs, which are often not in line with the trunk; without both legs, it is vertical.
    Without a spine and legs, it is the vertical line through the middle of all bone, or of the image if there is no
    bone.
    """
    height, width = regions.shape
    rows = np.arange(height)
    spine, centres = _centres_of_spine(regions)
    legs, gaps = _gaps_between_legs(regions[spine[-1] + 1 :] if spine.size else regions)
    legs = legs + (spine[-1] + 1 if spine.size else 0)
    has_spine, has_legs = spine.size >= _FEWEST_ROWS, legs.size >= _FEWEST_ROWS
    if not (has_spine or has_legs):
        bone = np.nonzero(regions)[1]
        return np.full(height, bone.mean() if bone.size else (width - 1) / 2)
    line = _line(spine, centres, _MOST_TILT, rows) if has_spine else np.full(height, np.nan)
    if has_legs:
        below = rows >= legs[0] if has_spine else slice(None)
        line[below] = _line(legs, gaps, _MOST_TILT_OF_LEGS, rows)[below]
    return line


def _centres_of_spine(regions: NDArray[np.uint8]) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """The rows with spine or sternum, and the mean column of these bones in each."""
    rows, columns = np.nonzero(np.isin(regions, _ON_THE_MIDLINE))
    pixels = np.bincount(rows, minlength=len(regions))
    seen = np.flatnonzero(pixels)
    return seen, np.bincount(rows, weights=columns, minlength=len(regions))[seen] / pixels[seen]


def _gaps_between_legs(regions: NDArray[np.uint8]) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """The rows with two pieces of leg, and the middle of the widest gap in each."""
    rows, columns = np.nonzero(np.isin(regions, _LEGS))
    same_row = rows[1:] == rows[:-1]
    gap = np.where(same_row, np.diff(columns), 0)
    widest = np.zeros(len(regions), np.intp)
    np.maximum.at(widest, rows[1:], gap)
    found = np.flatnonzero((gap > 1) & (gap == widest[rows[1:]]))
    # The first of equally wide gaps.
    seen, first = np.unique(rows[found], return_index=True)
    at = found[first]
    return seen, (columns[at] + columns[at + 1]) / 2


def _line(
    rows: NDArray[np.intp], columns: NDArray[np.float64], most_tilt: float, of: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Column of a straight line in some rows, through points; it is vertical beyond their first and last row."""
    # Medians of slopes and offsets are robust against a few rows of a bent spine (Theil and Sen).
    half = rows.size // 2
    slope = np.median((columns[half:] - columns[: rows.size - half]) / (rows[half:] - rows[: rows.size - half]))
    slope = np.clip(slope, -most_tilt, most_tilt)
    return np.asarray(np.median(columns - slope * rows) + slope * np.clip(of, rows[0], rows[-1]))


_FARTHEST = 8
_RING = 3
_MARGIN = _RING + _FARTHEST
_JOINED = 1.5


def image_side_at(regions: NDArray[np.uint8], point: tuple[int, int]) -> ImageSide:
    """The side of the midline on which a point lies."""
    row, column = point
    return "left" if column < midline(regions)[row] else "right"


def shows(regions: NDArray[np.uint8], side: ImageSide, codes: Sequence[int]) -> bool:
    """Whether one of some regions has pixels on a side of the midline."""
    return bool((np.isin(regions, codes) & _is_on(side, midline(regions), regions.shape[1])).any())


def mirror_side(
    regions: NDArray[np.uint8], counts: NDArray[np.generic], good_side: ImageSide, codes: Sequence[int] = ALL_BONES
) -> NDArray[np.uint8]:
    """Replace regions of one side by their mirror images from the good side, which is the left or right of the image.

    Only the regions in `codes` change; others stay, also where a mirrored bone would cover them. Arms and legs are
    never quite symmetric. Therefore each mirrored piece that does not touch the midline is moved by up to 8 pixels to
    the place of the best contrast in the counts.
    """
    height, width = regions.shape
    middle = midline(regions)[:, None]
    columns = np.arange(width)[None, :]
    is_good = _is_on(good_side, middle[:, 0], width)
    chosen = np.isin(regions, codes)
    source = np.rint(2 * middle).astype(np.intp) - columns
    there = (source >= 0) & (source < width) & ~is_good
    good_bone = np.where(chosen, regions, np.uint8(0))
    mirrored = np.where(there, np.take_along_axis(good_bone, np.clip(source, 0, width - 1), axis=1), 0)
    uptake = np.sqrt(gaussian_filter(counts.astype(np.float32), 1.0))
    uptake = np.pad(uptake, _MARGIN, mode="edge")
    others = np.pad(((regions > 0) & ~chosen).astype(np.float32), _MARGIN)
    result = np.where(is_good | ~chosen, regions, np.uint8(0))
    may_change = ~is_good & (result == 0)
    pieces = label(mirrored, connectivity=2)
    at_midline = set(np.unique(pieces[np.abs(columns - middle) <= _JOINED]).tolist())
    for piece in regionprops(pieces):
        y0, x0, _, _ = piece.bbox
        shape = piece.image
        dy, dx = (0, 0) if piece.label in at_midline else _best_shift(shape, (y0, x0), uptake, others)
        rows, cols = np.nonzero(shape)
        names = mirrored[rows + y0, cols + x0]
        rows, cols = rows + y0 + dy, cols + x0 + dx
        kept = (rows >= 0) & (rows < height) & (cols >= 0) & (cols < width)
        rows, cols, names = rows[kept], cols[kept], names[kept]
        free = may_change[rows, cols]
        result[rows[free], cols[free]] = names[free]
    return np.asarray(result, np.uint8)


def _is_on(side: ImageSide, middle: NDArray[np.float64], width: int) -> NDArray[np.bool_]:
    """The pixels on a side of the midline."""
    columns = np.arange(width)[None, :]
    return columns < middle[:, None] if side == "left" else columns > middle[:, None]


def _best_shift(
    piece: NDArray[np.bool_], corner: tuple[int, int], uptake: NDArray[np.float32], others: NDArray[np.float32]
) -> tuple[int, int]:
    """The shift (rows, columns) of a piece with the best contrast to its surroundings.

    It covers no more of the other bones than without a shift. `corner` is the upper left pixel of the piece; `uptake`
    and `others` have a margin of `_MARGIN` pixels on each side of the image.
    """
    (height, width), (top, left) = piece.shape, corner
    around = np.zeros((height + 2 * _RING, width + 2 * _RING), bool)
    around[_RING:-_RING, _RING:-_RING] = piece
    ring = binary_dilation(around, iterations=_RING) & ~around
    window = (slice(top, top + height + 2 * _MARGIN), slice(left, left + width + 2 * _MARGIN))
    weights = (around / around.sum() - ring / ring.sum()).astype(np.float32)
    contrast = _at_shifts(uptake[window], weights)
    covered = np.rint(_at_shifts(others[window], around.astype(np.float32)))
    contrast[covered > covered[_FARTHEST, _FARTHEST]] = -np.inf
    row, column = np.unravel_index(int(contrast.argmax()), contrast.shape)
    return int(row) - _FARTHEST, int(column) - _FARTHEST


def _at_shifts(window: NDArray[np.float32], weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """The weighted sum over a window for each shift of the weights."""
    # Correlation by the Fourier transform; the wrapped part lies outside of the possible shifts.
    size = [next_fast_len(side, real=True) for side in window.shape]
    spectrum = rfft2(window, size) * np.conj(rfft2(weights, size))
    return np.asarray(irfft2(spectrum, size)[: 2 * _FARTHEST + 1, : 2 * _FARTHEST + 1])
