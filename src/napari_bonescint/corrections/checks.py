"""Live checks: sentences on what in a mask is hardly so in any body, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from napari_bonescint.scan import Spacing, View

Kind = Literal["island", "place", "missing", "bladder", "sides"]


@dataclass(frozen=True)
class Finding:
    """Something to look at.

    Attributes
    ----------
    kind : str
        ``island``, ``place``, ``missing``, ``bladder`` or ``sides``.
    sentence : str
        What it is, for the annotator.
    view : int
        Index of the view.
    point : (int, int)
        Row and column to look at.
    code : int
        The region that it is about.
    """

    kind: Kind
    sentence: str
    view: int
    point: tuple[int, int]
    code: int


def check(
    regions: NDArray[np.uint8], counts: NDArray[np.generic], views: Sequence[View], spacing: Spacing | None
) -> list[Finding]:
    """Look for what is hardly so in any body.

    Parameters
    ----------
    regions : ndarray of uint8, shape (view, y, x)
        Region codes.
    counts : ndarray of shape (view, y, x)
        As acquired.
    views : sequence of View
        One for each plane.
    spacing : (float, float) or None
        Pixel spacing (y, x) in mm.
    """
    return []
