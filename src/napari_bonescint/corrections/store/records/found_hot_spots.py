"""Hot spots as they were found, kept beside those that a reader left: only where they differ.

Without them, hot spots that the reader erased or reshaped would come back when the scan is measured again.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.scan import ViewName  # noqa: TC001 - `facts.build` looks at the types

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True)
class FoundPixels:
    """Neighbouring pixels of one row at which the reader has changed what was found.

    Attributes
    ----------
    view : ViewName
    row, column : int
        The first of them.
    pixels : int
        Their number.
    id : int
        The number of the hot spot that was found there; 0 if none was.
    """

    view: ViewName
    row: int
    column: int
    pixels: int
    id: int


def changed_pixels(
    found: NDArray[np.uint16], left: NDArray[np.uint16], views: Sequence[ViewName]
) -> tuple[FoundPixels, ...]:
    """The pixels at which hot spots as found differ from those that the reader left; both of shape (view, y, x)."""
    runs = []
    for view, plane, now in zip(views, found, left, strict=True):
        wide = plane.shape[1]
        at = np.flatnonzero(plane != now)
        number = plane.ravel()[at]
        is_apart = (np.diff(at, prepend=-2) != 1) | (at % wide == 0)
        starts = np.flatnonzero(is_apart | (np.diff(number.astype(np.int64), prepend=-1) != 0)).tolist()
        for start, end in pairwise([*starts, len(at)]):
            row, column = divmod(int(at[start]), wide)
            runs.append(FoundPixels(view, row, column, end - start, int(number[start])))
    return tuple(runs)


def found_hot_spots(
    left: NDArray[np.uint16], changed: Iterable[FoundPixels], views: Sequence[ViewName]
) -> NDArray[np.uint16]:
    """Hot spots as they were found, from those that the reader left; pixels outside the views are left out."""
    found = left.copy()
    for run in changed:
        inside = run.view in views and 0 <= run.row < left.shape[1] and run.column >= 0 and 0 <= run.id < 2**16
        if inside:
            found[list(views).index(run.view), run.row, run.column : run.column + max(run.pixels, 0)] = run.id
    return found
