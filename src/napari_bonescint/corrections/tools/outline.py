"""The outline of one region: grown, shrunk, smoothed, and its holes filled. Other regions stay as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import binary_fill_holes, distance_transform_edt, gaussian_filter

from napari_bonescint.corrections.tools.strokes import bounding_box

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ROUGHNESS = 2.0
"""Standard deviation, in pixels, of the blur that smooths an outline."""


def grow(regions: NDArray[np.uint8], code: int) -> NDArray[np.uint8]:
    """Let a region take the background up to a pixel from it.

    Parameters
    ----------
    regions : ndarray of uint8, shape (y, x)
        The present mask; it is not changed.
    code : int
        Which region, not 0.
    """
    grown = regions.copy()
    here = grown[_around(regions == code, 1)]
    if here.size:
        here[(distance_transform_edt(here != code) <= 1) & (here == 0)] = code
    return grown


def shrink(regions: NDArray[np.uint8], code: int) -> NDArray[np.uint8]:
    """Make background of what of a region lies up to a pixel from background; its borders to bones stay.

    Parameters
    ----------
    regions : ndarray of uint8, shape (y, x)
        The present mask; it is not changed.
    code : int
        Which region, not 0.
    """
    shrunk = regions.copy()
    here = shrunk[_around(regions == code, 1)]
    if here.size:
        here[(distance_transform_edt(here) <= 1) & (here == code)] = 0
    return shrunk


def smooth(regions: NDArray[np.uint8], code: int) -> NDArray[np.uint8]:
    """Make the border of a region to the background smooth, about as far as bumps of two pixels.

    Parameters
    ----------
    regions : ndarray of uint8, shape (y, x)
        The present mask; it is not changed.
    code : int
        Which region, not 0.
    """
    # Other bones count as half, so that the border to them does not move.
    smoothed = regions.copy()
    here = smoothed[_around(regions == code, 4 * _ROUGHNESS)]
    share = np.where(here == code, 1, np.where(here == 0, 0, 0.5)).astype(np.float32)
    inside = gaussian_filter(share, _ROUGHNESS, mode="nearest") > 0.5
    gained, lost = (here == 0) & inside, (here == code) & ~inside
    here[gained] = code
    here[lost] = 0
    return smoothed


def fill_holes(regions: NDArray[np.uint8], code: int) -> NDArray[np.uint8]:
    """Let a region take the background that it encloses.

    Parameters
    ----------
    regions : ndarray of uint8, shape (y, x)
        The present mask; it is not changed.
    code : int
        Which region, not 0.
    """
    filled = regions.copy()
    here = filled[bounding_box(regions == code)]
    here[binary_fill_holes(here == code) & (here == 0)] = code
    return filled


def _around(mask: NDArray[np.bool_], pixels: float) -> tuple[slice, slice]:
    """The rows and columns within some distance of what is true."""
    margin = int(np.ceil(pixels)) + 1
    rows, columns = bounding_box(mask)
    if rows.stop == 0:
        return rows, columns
    return slice(max(rows.start - margin, 0), rows.stop + margin), slice(
        max(columns.start - margin, 0), columns.stop + margin
    )
