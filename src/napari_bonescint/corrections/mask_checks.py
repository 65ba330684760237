"""Check that an imported mask belongs to its scan and has the scan's orientation.

The mask is compared with a model's mask: as it is, and turned in the ways in which programs turn images. If it agrees
better after turning, it was turned. If it agrees little in any orientation, it is of another scan.

The limits come from ten simulated scans and the default model. True masks have a skeleton Dice of at least 0.88. Of 90
masks of other bodies, centred on the scan, the best has 0.69. A turned mask agrees at least 0.03 less, mostly half.
"""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.anatomy import REGIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from napari_bonescint.scan import View
    from napari_bonescint.segmentation import Segmentation

_LEAST_DICE = 0.75
_CLEARLY_BETTER = 0.02
# Regions with fewer pixels in both masks together are not compared.
_LEAST_PIXELS = 60

_TURNED: dict[str, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
    "is upside down": lambda plane: plane[::-1],
    "is mirrored left to right": lambda plane: plane[:, ::-1],
    "is turned by half a turn": lambda plane: plane[::-1, ::-1],
}


def doubts_about_mask(
    views: Sequence[View], regions: NDArray[np.uint8], seen: Segmentation, *, names_regions: bool
) -> list[str]:
    """Reasons to doubt that a mask is of a scan.

    Parameters
    ----------
    views : sequence of View
        Views of the scan.
    regions : ndarray of uint8, shape (view, y, x)
        The mask: region codes, or 1 for bone, with bone in each view.
    seen : Segmentation
        A model's result for the scan.
    names_regions : bool
        Whether the mask names regions.

    Returns
    -------
    list of str
        Each completes a sentence that begins with "The mask"; empty if there is no doubt.
    """
    by_name = names_regions and seen.regions is not None
    model = seen.regions if by_name and seen.regions is not None else (seen.skeleton > 0).astype(np.uint8)
    mask = regions if by_name else (regions > 0).astype(np.uint8)
    as_it_is = [_agreement(*pair) for pair in zip(mask, model, strict=True)]
    if len(views) == 2 and (sentence := _swapped(mask, model, as_it_is)):
        return [sentence]
    sentences = []
    for view, plane, truth, agreement in zip(views, mask, model, as_it_is, strict=True):
        turned = {what: _agreement(turn(plane), truth) for what, turn in _TURNED.items()}
        what = max(turned, key=lambda each: turned[each])
        skeleton = _dice(plane > 0, truth > 0)
        # A mask that agrees little in any orientation is not only turned.
        fits = _dice(_TURNED[what](plane) > 0, truth > 0) >= _LEAST_DICE
        if turned[what] > agreement + _CLEARLY_BETTER and fits:
            sentences.append(f"{what} in the {view.name} view, as it seems")
        elif skeleton < _LEAST_DICE:
            sentences.append(
                f"agrees little with the mask of the model {seen.model} in the {view.name} view (Dice {skeleton:.2f}); "
                "it may be of another patient or another scan"
            )
    return sentences


def _swapped(mask: NDArray[np.uint8], model: NDArray[np.uint8], as_it_is: Sequence[float]) -> str | None:
    """A phrase if the mask has the views in the other order, mirrored or not; else None."""
    agreement = statistics.mean(as_it_is) + _CLEARLY_BETTER
    turned = [
        statistics.mean(_agreement(turn(plane), truth) for plane, truth in zip(mask, model, strict=True))
        for turn in _TURNED.values()
    ]
    for swapped in (mask[::-1], mask[::-1, :, ::-1]):
        found = statistics.mean(_agreement(*pair) for pair in zip(swapped, model, strict=True))
        # A body is nearly symmetric, so a mirrored mask looks much like one with swapped views.
        if found > agreement and found > max(turned) and _dice(swapped > 0, model > 0) >= _LEAST_DICE:
            return "has the views swapped, as it seems"
    return None


def _agreement(plane: NDArray[np.uint8], truth: NDArray[np.uint8]) -> float:
    """Mean Dice of the regions that one of the masks has."""
    sizes = np.bincount(plane.ravel(), minlength=len(REGIONS)) + np.bincount(truth.ravel(), minlength=len(REGIONS))
    shown = [code for code in range(1, len(sizes)) if sizes[code] >= _LEAST_PIXELS]
    return statistics.mean(_dice(plane == code, truth == code) for code in shown) if shown else 0.0


def _dice(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    both = int(one.sum()) + int(other.sum())
    return 2 * int((one & other).sum()) / both if both else 1.0
