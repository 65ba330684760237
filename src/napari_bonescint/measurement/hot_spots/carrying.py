"""Keep what was known about hot spots when they are found or painted again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_bonescint.measurement.measures import HotSpotVerdict, Measured
    from napari_bonescint.scan import View, ViewName

# The share of the smaller of two spots that both cover, from which they are the same spot.
_SAME = 0.3


def same_spots(
    before: NDArray[np.uint16], now: NDArray[np.uint16], views: Sequence[View]
) -> dict[tuple[ViewName, int], int]:
    """For each spot by view and label, the label that it had before; spots that are new are left out.

    Of several earlier spots, it is the one with the most common pixels. Both cover at least 30 per cent of the smaller.

    Parameters
    ----------
    before, now : ndarray of uint16, shape (view, y, x)
        Hot spots, numbered within a view from 1.
    views : sequence of View
        One for each plane.
    """
    found: dict[tuple[ViewName, int], int] = {}
    for view, old, new in zip(views, before, now, strict=True):
        at_old, at_new = np.flatnonzero(old), np.flatnonzero(new)
        sizes = [np.bincount(plane.ravel()[at]) for plane, at in ((old, at_old), (new, at_new))]
        both = at_new[old.ravel()[at_new] > 0]
        base = len(sizes[0])
        pairs, common = np.unique(new.ravel()[both].astype(np.int64) * base + old.ravel()[both], return_counts=True)
        for at in np.argsort(common, kind="stable").tolist():  # the largest overlap comes last
            number, earlier = divmod(int(pairs[at]), base)
            if common[at] >= _SAME * min(sizes[1][number], sizes[0][earlier]):
                found[view.name, number] = earlier
    return found


def carried(
    before: Measured, now: NDArray[np.uint16], views: Sequence[View]
) -> tuple[dict[tuple[ViewName, int], HotSpotVerdict], dict[tuple[ViewName, int], float]]:
    """The reader's verdicts and the known probabilities of earlier spots, for the spots that are the same."""
    earlier = {(spot.view, spot.id): spot for spot in before.measures.hot_spots}
    same = {
        key: earlier[key[0], number]
        for key, number in same_spots(before.labels, now, views).items()
        if (key[0], number) in earlier
    }
    verdicts = {key: spot.verdict for key, spot in same.items() if spot.verdict.by_reader}
    probabilities = {key: spot.probability for key, spot in same.items() if spot.probability is not None}
    return verdicts, probabilities
