"""Normal counts of each part of the skeleton: medians of the bone that is in no hot spot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.anatomy import REGIONS
from napari_bonescint.measurement.bones import SIDES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_bonescint.measurement.bones import Bones

# Fewer pixels without a hot spot give no normal.
_FEWEST_PIXELS = 20


@dataclass(frozen=True)
class SortedCounts:
    """Counts of the bone pixels, sorted within groups of them.

    Attributes
    ----------
    counts : ndarray of float64, shape (n,)
        The counts in rising order within each group, the groups in rising order.
    group : ndarray of int64, shape (n,)
        The number of the group of each.
    pixel : ndarray of int64, shape (n,)
        The bone pixel of each.
    groups : int
        Number of groups.
    """

    counts: NDArray[np.float64]
    group: NDArray[np.intp]
    pixel: NDArray[np.intp]
    groups: int

    @classmethod
    def of(cls, counts: NDArray[np.float64], group: NDArray[np.intp], groups: int) -> SortedCounts:
        """Sort counts (n,) within groups (n,)."""
        pixel = np.lexsort((counts, group))
        return cls(counts[pixel], group[pixel], pixel, groups)

    def medians(self, hot: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Median of each group without hot pixels; NaN if fewer than 20 are left, or all are 0.

        A median of 0, as in scans of few counts, is replaced by the mean.

        Parameters
        ----------
        hot : ndarray of bool, shape (n,)
            True for bone pixels to leave out.
        """
        kept = np.flatnonzero(~hot[self.pixel])
        values, group = self.counts[kept], self.group[kept]
        number = np.bincount(group, minlength=self.groups)
        start = np.cumsum(number) - number
        found = np.flatnonzero(number >= _FEWEST_PIXELS)
        first, count = start[found], number[found]
        medians = np.full(self.groups, np.nan)
        medians[found] = (values[first + (count - 1) // 2] + values[first + count // 2]) / 2
        for empty in np.flatnonzero(medians == 0):
            medians[empty] = values[start[empty] : start[empty] + number[empty]].mean() or np.nan
        return medians


class NormalCounts:
    """Normal counts of each part of one scan.

    Parameters
    ----------
    bones : Bones
        The bone pixels.
    counts : ndarray of float64, shape (n,)
        Their counts.
    """

    def __init__(self, bones: Bones, counts: NDArray[np.float64]) -> None:
        sides, codes, views = len(SIDES), len(REGIONS), len(bones.views)
        part = bones.part[bones.at].astype(np.intp)
        self._shape = (views, codes, sides)
        self._by_side = SortedCounts.of(counts, part, views * codes * sides)
        self._by_region = SortedCounts.of(counts, part // sides, views * codes)
        self._by_view = SortedCounts.of(counts, part // (sides * codes), views)

    def outside(self, hot: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Normal counts of each part outside hot spots, shape (view, region code, side).

        The normal is the median of the part's pixels that are in no hot spot. If there are fewer than 20 of them, it is
        that of both sides of the region together, else that of all bone in the view. The row of background has that of
        all bone.

        Parameters
        ----------
        hot : ndarray of bool, shape (n,)
            True for bone pixels in a hot spot.
        """
        by_view = self._by_view.medians(hot)
        by_view = np.where(np.isnan(by_view), 1.0, by_view)
        by_region = self._by_region.medians(hot).reshape(self._shape[:2])
        by_region = np.where(np.isnan(by_region), by_view[:, None], by_region)
        by_side = self._by_side.medians(hot).reshape(self._shape)
        return np.where(np.isnan(by_side), by_region[:, :, None], by_side)
