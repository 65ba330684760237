"""Counts, region and side under the mouse, and the same place in the other view."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.anatomy import REGIONS
from napari_bonescint.corrections.sides import side_of
from napari_bonescint.corrections.store.difference_maps import opposite_column
from napari_bonescint.corrections.tools.mirror import midline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_bonescint.gui.correct.open_case import OpenCase


class CursorReadout:
    """Describes a position in world coordinates."""

    def __init__(self, case: OpenCase) -> None:
        self._case = case
        self._midlines: dict[int, NDArray[np.float64]] = {}

    def forget_midlines(self) -> None:
        """Compute the midlines again when they are next needed."""
        self._midlines.clear()

    def describe(self, position: Sequence[float]) -> str:
        """A line with region, side, counts and view; empty between the views."""
        case = self._case
        view = case.view_at(position)
        if view is None:
            return ""
        row, column = case.pixel(view, position)
        if view not in self._midlines:
            self._midlines[view] = midline(case.labels[view].data)
        side = side_of(case.view(view), column, self._midlines[view][row])
        code = int(case.labels[view].data[row, column])
        region = REGIONS[code].label if code < len(REGIONS) else f"unknown code {code}"
        sure = "" if case.probability is None else f" · model {case.probability[view, row, column]:.0%}"
        counts = case.images[view].data[row, column]
        return f"<b>{region}</b>, patient's {side} · {counts:g} counts{sure} · {case.view(view).name} {row}, {column}"

    def opposite(self, position: Sequence[float]) -> NDArray[np.float64] | None:
        """World coordinates of the same place in the other view; None if there is no other view."""
        view = self._case.view_at(position)
        if view is None or len(self._case.labels) != 2:
            return None
        y, x = self._case.point(view, position)
        width = self._case.labels[view].data.shape[1]
        (there,) = self._case.world(1 - view, np.array([[y, opposite_column(x, width)]]))
        return np.asarray(there)
