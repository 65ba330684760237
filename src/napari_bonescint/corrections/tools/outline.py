"""The outline of one region: grown, shrunk, smoothed, and its holes filled. Other regions stay as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import binary_fill_holes, distance_transform_edt, gaussian_filter

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ROUGHNESS = 2.0
"""Standard deviation, in pixels, of the blur that smooths an outline."""


def grow(regions: NDArray[np.uint8], code: int, pixels: float = 1) -> NDArray[np.uint8]:
    """Let a region take the background up to some distance from it.

    Parameters
    ----------
    regions : ndarray of uint8, shape (y, x)
        The present mask; it is not changed.
    code : int
        Which region, not 0.
    pixels : float
        The distance.
    """
    near = distance_transform_edt(regions != code) <= pixels if (regions == code).any() else False
    return np.where(near & (regions == 0), np.uint8(code), regions)


def shrink(regions: NDArray[np.uint8], code: int, pixels: float = 1) -> NDArray[np.uint8]:
    """Make background of what of a region lies up to some distance from background; its borders to bones stay.

    Parameters
    ----------
    regions : ndarray of uint8, shape (y, x)
        The present mask; it is not changed.
    code : int
        Which region, not 0.
    pixels : float
        The distance.
    """
    near = distance_transform_edt(regions) <= pixels
    return np.where(near & (regions == code), np.uint8(0), regions)


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
    share = np.where(regions == code, 1, np.where(regions == 0, 0, 0.5)).astype(np.float32)
    inside = gaussian_filter(share, _ROUGHNESS, mode="nearest") > 0.5
    changed = np.where((regions == 0) & inside, np.uint8(code), regions)
    changed[(regions == code) & ~inside] = 0
    return changed


def fill_holes(regions: NDArray[np.uint8], code: int) -> NDArray[np.uint8]:
    """Let a region take the background that it encloses.

    Parameters
    ----------
    regions : ndarray of uint8, shape (y, x)
        The present mask; it is not changed.
    code : int
        Which region, not 0.
    """
    return np.where(binary_fill_holes(regions == code) & (regions == 0), np.uint8(code), regions)
