"""A scan as it was counted, with its mask: what models are trained and scored on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_bonescint.scan import Scan


@dataclass(frozen=True)
class CountedScan:
    """A scan and its mask.

    Attributes
    ----------
    scan : Scan
    regions : ndarray of uint8, shape (view, y, x)
        Region codes, or 1 for bone.
    names_regions : bool
        Which of the two.
    """

    scan: Scan
    regions: NDArray[np.uint8]
    names_regions: bool
