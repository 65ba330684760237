"""Normal counts of each part of the skeleton: medians of the bone that is in no hot spot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.anatomy import REGIONS
from napari_bonescint.measurement.bones import SIDES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_bonescint.measurement.bones import Bones

# Fewer pixels without a hot spot give no normal.
_FEWEST_PIXELS = 20


def normal_counts(
    bones: Bones, counts: NDArray[np.float64], order: NDArray[np.intp], hot: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Normal counts of each part, shape (view, region code, side).

    The normal is the median of the part's pixels that are in no hot spot. If there are fewer than 20 of them, it is
    that of both sides of the region together, else that of all bone in the view. The row of background has that of all
    bone. A median of 0, as in scans of few counts, is replaced by the mean.

    Parameters
    ----------
    bones : Bones
        The bone pixels.
    counts : ndarray of float64, shape (n,)
        Counts of the bone pixels.
    order : ndarray of int, shape (n,)
        Indices that sort `counts`.
    hot : ndarray of bool, shape (n,)
        True for bone pixels in a hot spot.
    """
    sides, codes = len(SIDES), len(REGIONS)
    kept = order[~hot[order]]
    part = bones.part[bones.at[kept]]
    values = counts[kept]
    shape = (len(bones.views), codes, sides)
    by_side = _medians(values, part, bones.parts).reshape(shape)
    by_region = _medians(values, part // sides, bones.parts // sides).reshape(shape[:2])
    by_view = _medians(values, part // (sides * codes), len(bones.views))
    by_view = np.where(np.isnan(by_view), 1.0, by_view)
    by_region = np.where(np.isnan(by_region), by_view[:, None], by_region)
    return np.where(np.isnan(by_side), by_region[:, :, None], by_side)


def _medians(values: NDArray[np.float64], group: NDArray[np.intp], groups: int) -> NDArray[np.float64]:
    """Median of sorted values in each group; NaN if there are too few values, or all are 0."""
    # Groups are few, so that numbers of 16 bits are sorted in linear time.
    ordered = values[np.argsort(group.astype(np.uint16), kind="stable")]
    number = np.bincount(group, minlength=groups)
    start = np.cumsum(number) - number
    found = np.flatnonzero(number >= _FEWEST_PIXELS)
    medians = np.full(groups, np.nan)
    first, count = start[found], number[found]
    medians[found] = (ordered[first + (count - 1) // 2] + ordered[first + count // 2]) / 2
    means = np.bincount(group, weights=values, minlength=groups) / np.maximum(number, 1)
    medians = np.where(medians == 0, means, medians)
    return np.where(medians > 0, medians, np.nan)
