"""Grow, shrink, smooth and fill one region; `code` must not be 0. Other regions stay as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import binary_dilation, binary_fill_holes, gaussian_filter

from napari_bonescint.corrections.tools.strokes import bounding_box

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ROUGHNESS = 2.0
"""Standard deviation, in pixels, of the blur that smooths an outline."""


def grow(regions: NDArray[np.uint8], code: int) -> NDArray[np.uint8]:
    """Extend a region by one pixel into the background."""
    grown = regions.copy()
    here = grown[_around(regions == code, 1)]
    here[binary_dilation(here == code) & (here == 0)] = code
    return grown


def shrink(regions: NDArray[np.uint8], code: int) -> NDArray[np.uint8]:
    """Remove a border of one pixel from a region where it meets the background; borders to other regions stay."""
    shrunk = regions.copy()
    here = shrunk[_around(regions == code, 1)]
    here[binary_dilation(here == 0) & (here == code)] = 0
    return shrunk


def smooth(regions: NDArray[np.uint8], code: int) -> NDArray[np.uint8]:
    """Smooth the border of a region to the background; bumps of up to about two pixels disappear."""
    # Other regions count as half, so that the border to them stays.
    smoothed = regions.copy()
    here = smoothed[_around(regions == code, 4 * _ROUGHNESS)]
    share = np.where(here == code, 1, np.where(here == 0, 0, 0.5)).astype(np.float32)
    inside = gaussian_filter(share, _ROUGHNESS, mode="nearest") > 0.5
    gained, lost = (here == 0) & inside, (here == code) & ~inside
    here[gained] = code
    here[lost] = 0
    return smoothed


def fill_holes(regions: NDArray[np.uint8], code: int) -> NDArray[np.uint8]:
    """Fill the background that a region encloses."""
    filled = regions.copy()
    here = filled[bounding_box(regions == code)]
    here[binary_fill_holes(here == code) & (here == 0)] = code
    return filled


def _around(mask: NDArray[np.bool_], pixels: float) -> tuple[slice, slice]:
    """Rows and columns up to a distance from the true pixels."""
    margin = int(np.ceil(pixels)) + 1
    rows, columns = bounding_box(mask)
    if rows.stop == 0:
        return rows, columns
    return slice(max(rows.start - margin, 0), rows.stop + margin), slice(
        max(columns.start - margin, 0), columns.stop + margin
    )
