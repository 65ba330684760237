"""The pixels of hot spots, grouped by spot, and what is summed over them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.anatomy import REGIONS
from napari_bonescint.measurement.bones import SIDES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_bonescint.measurement.bones import Bones


@dataclass(frozen=True)
class MarkedPixels:
    """The pixels of all hot spots.

    Attributes
    ----------
    bones : Bones
        The bone pixels of the scan.
    at : ndarray of int64, shape (n,)
        Marked pixels as indices into the flattened (view, y, x).
    spot : ndarray of int64, shape (n,)
        Number of the spot of each pixel, from 0, in the order of views and labels.
    view, id : ndarray of int64, shape (spots,)
        View and label of each spot.
    """

    bones: Bones
    at: NDArray[np.intp]
    spot: NDArray[np.intp]
    view: NDArray[np.intp]
    id: NDArray[np.intp]

    @classmethod
    def of(cls, labels: NDArray[np.uint16], bones: Bones) -> MarkedPixels:
        """Group the pixels of labels (view, y, x)."""
        at = np.flatnonzero(labels)
        largest = int(labels.max(initial=0)) + 1
        key = at // (bones.shape[1] * bones.shape[2]) * largest + labels.ravel()[at]
        keys, spot = np.unique(key, return_inverse=True)
        return cls(bones, at, spot, keys // largest, keys % largest)

    def __len__(self) -> int:
        return len(self.id)

    def sum(self, weights: NDArray[np.floating] | NDArray[np.integer] | None = None) -> NDArray[np.float64]:
        """The sum of weights (n,) over each spot, or its number of pixels."""
        return np.bincount(self.spot, weights=weights, minlength=len(self)).astype(np.float64)

    def mean(self, values: NDArray[np.floating] | NDArray[np.integer]) -> NDArray[np.float64]:
        """The mean of values (n,) over each spot."""
        return self.sum(values) / self.pixels

    def highest(self, values: NDArray[np.floating] | NDArray[np.integer]) -> NDArray[np.float64]:
        """The highest of values (n,) in each spot."""
        top = np.full(len(self), -np.inf)
        np.maximum.at(top, self.spot, values)
        return top

    @cached_property
    def pixels(self) -> NDArray[np.float64]:
        """The number of pixels of each spot."""
        return self.sum()

    @cached_property
    def rows(self) -> NDArray[np.intp]:
        """The row of each pixel (n,)."""
        return self.at // self.bones.shape[2] % self.bones.shape[1]

    @cached_property
    def columns(self) -> NDArray[np.intp]:
        """The column of each pixel (n,)."""
        return self.at % self.bones.shape[2]

    @cached_property
    def centres(self) -> NDArray[np.float64]:
        """The mean row and column of each spot, (spots, 2)."""
        return np.stack([self.mean(self.rows), self.mean(self.columns)], axis=1)

    @cached_property
    def places(self) -> NDArray[np.intp]:
        """Region code and index of the side of each spot, (spots, 2): those of most of its bone pixels."""
        codes, sides = len(REGIONS), len(SIDES)
        part = self.bones.part[self.at].astype(np.intp) % (codes * sides)
        of_part = np.bincount(self.spot * codes * sides + part, minlength=len(self) * codes * sides)
        table = of_part.reshape(len(self), codes, sides)
        of_region = table.sum(axis=2)
        of_region[:, 0] = 0
        code = of_region.argmax(axis=1)
        side = table[np.arange(len(self)), code].argmax(axis=1)
        return np.stack([code, np.where(code > 0, side, 0)], axis=1)
