"""A scan as acquired, with its mask, for training and scoring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_bonescint.scan import Scan


@dataclass(frozen=True)
class CountedScan:
    """A scan and its mask: `regions` (uint8, view, y, x) are region codes if `names_regions`, or 1 for bone."""

    scan: Scan
    regions: NDArray[np.uint8]
    names_regions: bool
