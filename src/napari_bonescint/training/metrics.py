"""How well a mask agrees with the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_bonescint.anatomy import REGIONS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_FEWEST_PIXELS = 30


def dice(mask: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """Dice coefficient 2 |A and B| / (|A| + |B|); 1 if both are empty."""
    total = int(mask.sum()) + int(truth.sum())
    return 2 * int((mask & truth).sum()) / total if total else 1.0


def region_dice(regions: NDArray[np.uint8], truth: NDArray[np.uint8]) -> dict[str, float]:
    """Dice of each region of which the truth shows at least 30 pixels, by name."""
    return {
        region.name: dice(regions == region.code, truth == region.code)
        for region in REGIONS[1:]
        if int((truth == region.code).sum()) >= _FEWEST_PIXELS
    }
