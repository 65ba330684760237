"""The bone pixels of a scan, sorted by part: view, region and the patient's side."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import find_objects

from napari_bonescint.anatomy import CODES, REGIONS
from napari_bonescint.corrections.sides import on_image_left
from napari_bonescint.corrections.tools.mirror import midline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_bonescint.measurement.measures import Side
    from napari_bonescint.scan import View

PAIRED = ("ribs", "clavicle", "scapula", "humerus", "forearm", "hand", "pelvis", "femur", "lower_leg", "foot")
"""Regions with a left and a right side; the others lie on the midline."""

SIDES: tuple[Side, ...] = ("", "left", "right")

_CODES = len(REGIONS)
_FEWEST_FOR_ENDS = 50


@dataclass(frozen=True)
class Bones:
    """The bone pixels of all views, each with the number of its part.

    Attributes
    ----------
    shape : (int, int, int)
        Views, rows and columns.
    views : tuple of View
        One for each plane.
    at : ndarray of int64, shape (n,)
        Bone pixels as indices into the flattened (view, y, x), in rising order.
    part : ndarray of int16, shape (view * y * x,)
        Part of every pixel, see `part_number`; background is region 0.
    middles : ndarray of float64, shape (view, y)
        Column of the midline in each row.
    """

    shape: tuple[int, int, int]
    views: tuple[View, ...]
    at: NDArray[np.intp]
    part: NDArray[np.int16]
    middles: NDArray[np.float64]

    @cached_property
    def ends(self) -> NDArray[np.float64]:
        """Upper and lower row of each region, (view, region code, 2), without 2 per cent of its pixels at each end.

        NaN for a region of fewer than 50 pixels in the view.
        """
        views, rows, columns = self.shape
        group = self.part[self.at].astype(np.intp) // len(SIDES)
        row = self.at // columns % rows
        ordered = row[np.argsort(group, kind="stable")]  # rows rise within each region
        number = np.bincount(group, minlength=views * _CODES)
        start = np.cumsum(number) - number
        ends = np.full((views * _CODES, 2), np.nan)
        for region in np.flatnonzero(number >= _FEWEST_FOR_ENDS):
            few = number[region] // 50
            ends[region] = ordered[start[region] + few], ordered[start[region] + number[region] - 1 - few]
        return ends.reshape(views, _CODES, 2)

    @property
    def parts(self) -> int:
        """The number of parts: views, times regions with background, times sides with none."""
        return len(self.views) * _CODES * len(SIDES)

    def by_part(self, weights: NDArray[np.floating]) -> NDArray[np.float64]:
        """Sums of weights (n,) of the bone pixels, as (view, region code, side)."""
        sums = np.bincount(self.part[self.at], weights=weights, minlength=self.parts)
        return sums.reshape(len(self.views), _CODES, len(SIDES)).astype(np.float64)


def part_number(view: int, code: int, side: Side) -> int:
    """The number of a part: the index of its view, its region code and its side."""
    return (view * _CODES + code) * len(SIDES) + SIDES.index(side)


def find_bones(regions: NDArray[np.uint8], views: Sequence[View]) -> Bones:
    """Find the part of each bone pixel.

    Parameters
    ----------
    regions : ndarray of uint8, shape (view, y, x)
        Region codes.
    views : sequence of View
        One for each plane.
    """
    view_count, rows, columns = regions.shape
    part = regions.astype(np.int16) * np.int16(len(SIDES))
    middles = np.stack([midline(plane) for plane in regions])
    for index, (view, plane) in enumerate(zip(views, regions, strict=True)):
        image_left, image_right = (2, 1) if view.patient_left_on_image_right else (1, 2)
        windows = find_objects(plane, max_label=_CODES - 1)
        shown = np.bincount(plane.ravel(), minlength=_CODES)
        for name in PAIRED:
            if not shown[CODES[name]]:
                continue
            window = windows[CODES[name] - 1]
            top_rows, left_columns = window
            own = plane[window] == CODES[name]
            is_left = on_image_left(own, middles[index, top_rows] - left_columns.start)
            part[index][window][own] += np.where(is_left, image_left, image_right)
    part += (np.arange(view_count) * _CODES * len(SIDES)).astype(np.int16)[:, None, None]
    return Bones((view_count, rows, columns), tuple(views), np.flatnonzero(regions), part.reshape(-1), middles)
