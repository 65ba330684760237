"""Add and remove regions and connected pieces of them at a click."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import gaussian_filter
from skimage.measure import label
from skimage.morphology import flood

if TYPE_CHECKING:
    from numpy.typing import NDArray


def connected_piece(regions: NDArray[np.uint8], point: tuple[int, int]) -> NDArray[np.bool_]:
    """The pixels of the region at a point that are connected to it (8-connected); none if it is background."""
    if not regions[point]:
        return np.zeros(regions.shape, np.bool_)
    return np.asarray(flood(regions, point, connectivity=2), np.bool_)


def remove_piece(regions: NDArray[np.uint8], point: tuple[int, int]) -> NDArray[np.uint8]:
    """Erase the connected piece at a point."""
    return np.where(connected_piece(regions, point), np.uint8(0), regions)


def remove_bone(regions: NDArray[np.uint8], code: int) -> NDArray[np.uint8]:
    """Erase a whole region, on both sides."""
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
    """Label the background around a point that looks like the point; nothing changes if the point is bone.

    The piece is connected to the point and reaches at most 40 pixels. In it, the probability of bone is at least half
    of that at the point. If there is no probability, or it is nearly 0 at the point, the smoothed counts decide: they
    are nearer to those at the point than to the smallest counts within reach.
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
