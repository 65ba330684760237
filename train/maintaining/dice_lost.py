"""Measure the Dice that a model loses with rounded arithmetic."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from napari_bonescint.evaluation.metrics import dice, region_dice

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from napari_bonescint.evaluation.reference_sets import Reference
    from napari_bonescint.inference.segmenter import Segmenter


def mean_dice_lost(judged_on: Iterable[Reference], exact: Segmenter, rounded: Segmenter) -> float:
    """Loss of mean Dice: of the skeleton or over the regions, whichever is larger.

    Parameters
    ----------
    judged_on : iterable of Reference
        Scans with their truth.
    exact, rounded : Segmenter
        One model in float32, and with rounded arithmetic.
    """
    lost: list[list[float]] = [list(_losses(reference, exact, rounded)) for reference in judged_on]
    worst: float = max(statistics.mean(column) for column in zip(*lost, strict=True))
    return round(worst, 5)


def _losses(reference: Reference, exact: Segmenter, rounded: Segmenter) -> Iterator[float]:
    """Loss of Dice over both views: of the skeleton and, if the model names regions, of the mean of the regions."""
    before, after = exact.segment(reference.scan), rounded.segment(reference.scan)
    truth = reference.regions
    yield dice(before.skeleton > 0, truth > 0) - dice(after.skeleton > 0, truth > 0)
    if before.regions is not None and after.regions is not None:
        yield statistics.mean(region_dice(before.regions, truth).values()) - statistics.mean(
            region_dice(after.regions, truth).values()
        )
