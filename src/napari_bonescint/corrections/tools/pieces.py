"""Whole bones and connected pieces of them, picked by a click."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import gaussian_filter
from skimage.measure import label
from skimage.morphology import flood

if TYPE_CHECKING:
    from numpy.typing import NDArray


def connected_piece(regions: NDArray[np.uint8], point: tuple[int, int]) -> NDArray[np.bool_]:
    """The pixels of one region that hang together with a point, corners included; none if it is background.

    Parameters
    ----------
    regions : ndarray of uint8, shape (y, x)
        Region codes.
    point : (int, int)
        Row and column.
    """
    if not regions[point]:
        return np.zeros(regions.shape, np.bool_)
    return np.asarray(flood(regions, point, connectivity=2), np.bool_)


def remove_piece(regions: NDArray[np.uint8], point: tuple[int, int]) -> NDArray[np.uint8]:
    """Make background of the piece at a point.

    Parameters
    ----------
    regions : ndarray of uint8, shape (y, x)
        The present mask; it is not changed.
    point : (int, int)
        Row and column.
    """
    return np.where(connected_piece(regions, point), np.uint8(0), regions)


def remove_bone(regions: NDArray[np.uint8], code: int) -> NDArray[np.uint8]:
    """Make background of a whole region, both sides.

    Parameters
    ----------
    regions : ndarray of uint8, shape (y, x)
        The present mask; it is not changed.
    code : int
        Which region.
    """
    return np.where(regions == code, np.uint8(0), regions)


_REACH = 40
_NOISE_PIXELS = 1.0
_LEAST_PROBABILITY = 0.02


def add_piece(
    regions: NDArray[np.uint8],
    counts: NDArray[np.generic],
    probability: NDArray[np.float32] | None,
    point: tuple[int, int],
    code: int,
) -> NDArray[np.uint8]:
    """Make bone of the background around a point that looks like what is there.

    The piece is what hangs together with the point, is not labelled yet and lies up to 40 pixels away: where the
    probability of bone is at least half of that at the point or, where the model saw nothing there or none ran, where
    the smoothed counts are nearer to those at the point than to the least in sight.

    Parameters
    ----------
    regions : ndarray of uint8, shape (y, x)
        The present mask; it is not changed.
    counts : ndarray of shape (y, x)
        As acquired.
    probability : ndarray of float32, shape (y, x), or None
        Of bone, as the model sees it.
    point : (int, int)
        Row and column; nothing changes if it is bone already.
    code : int
        What the piece becomes.
    """
    added = regions.copy()
    if regions[point]:
        return added
    window = tuple(slice(max(at - _REACH, 0), at + _REACH + 1) for at in point)
    here = (point[0] - window[0].start, point[1] - window[1].start)
    if probability is not None and probability[point] >= _LEAST_PROBABILITY:
        alike = probability[window] >= probability[point] / 2
    else:
        uptake = gaussian_filter(counts[window].astype(np.float32), _NOISE_PIXELS)
        alike = uptake >= (uptake[here] + uptake.min()) / 2
    pieces = label(alike & (regions[window] == 0), connectivity=2)
    added[window][pieces == pieces[here]] = code
    return added
