"""Compare two masks of one scan: Dice, changed pixels of each region, and a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.anatomy import REGIONS
from napari_bonescint.display import contrast_limits, dark_on_white

if TYPE_CHECKING:
    from numpy.typing import NDArray

BOTH, ONLY_FIRST, ONLY_SECOND, OTHER_REGION = (90, 170, 90), (225, 70, 60), (60, 110, 235), (240, 190, 40)
"""Colours (red, green, blue) of bone in both masks, only in the first, only in the second, and with different names."""

_OPACITY = 0.6


@dataclass(frozen=True)
class MaskComparison:
    """Differences of two masks.

    Attributes
    ----------
    dice : float
        Dice of bone of any region: 2 |A and B| / (|A| + |B|); 1 if both masks are empty.
    region_dice : dict of str to float
        Dice of each region that one of the masks has.
    changed : int
        Number of pixels with different codes.
    region_changed : dict of str to int
        For each of these regions, the number of pixels that have it in one mask only.
    """

    dice: float
    region_dice: dict[str, float]
    changed: int
    region_changed: dict[str, int]


def compare(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> MaskComparison:
    """Compare two masks: region codes, uint8 of shape (view, y, x)."""
    together = np.bincount(
        first.ravel().astype(np.intp) * len(REGIONS) + second.ravel(), minlength=len(REGIONS) ** 2
    ).reshape(len(REGIONS), len(REGIONS))
    alike, sizes = together.diagonal(), together.sum(axis=0) + together.sum(axis=1)
    bone, total = int(together[1:, 1:].sum()), int(sizes[1:].sum())
    shown = [region for region in REGIONS[1:] if sizes[region.code]]
    return MaskComparison(
        dice=2 * bone / total if total else 1.0,
        region_dice={r.name: 2 * int(alike[r.code]) / int(sizes[r.code]) for r in shown},
        changed=int(together.sum() - alike.sum()),
        region_changed={r.name: int(sizes[r.code]) - 2 * int(alike[r.code]) for r in shown},
    )


def picture(first: NDArray[np.uint8], second: NDArray[np.uint8], counts: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Draw the differences of two masks in colour over the image of the counts.

    Parameters
    ----------
    first, second : ndarray of uint8, shape (view, y, x)
        Region codes.
    counts : ndarray of shape (view, y, x)
        As acquired.

    Returns
    -------
    ndarray of uint8, shape (y, x of all views side by side, 3)
        Red, green, blue; bone in the colours `BOTH`, `ONLY_FIRST`, `ONLY_SECOND` and `OTHER_REGION`.
    """
    return np.concatenate([_picture_view(*planes) for planes in zip(first, second, counts, strict=True)], axis=1)


def _picture_view(
    first: NDArray[np.uint8], second: NDArray[np.uint8], counts: NDArray[np.generic]
) -> NDArray[np.uint8]:
    grey = dark_on_white(counts, contrast_limits(counts))
    rgb = np.repeat(grey[..., None], 3, axis=2)
    for where, colour in (
        ((first == second) & (first != 0), BOTH),
        ((first != 0) & (second == 0), ONLY_FIRST),
        ((first == 0) & (second != 0), ONLY_SECOND),
        ((first != second) & (first != 0) & (second != 0), OTHER_REGION),
    ):
        rgb[where] += _OPACITY * (np.array(colour) - rgb[where])
    return np.asarray(np.rint(rgb), np.uint8)
