"""Tell ratios of one region, which are many, from the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_bonescint.anatomy import CODES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari_bonescint.measurement.measures import Ratio

MEAN_COUNTS = "geometric_mean_counts"
LEFT_RIGHT = "geometric_left_right"


def ratios_of_regions(ratios: Iterable[Ratio], kind: str) -> dict[str, float]:
    """The values of one kind, `MEAN_COUNTS` or `LEFT_RIGHT`, by region; without those that are absent."""
    return {
        ratio.name.removeprefix(f"{kind}_"): ratio.value
        for ratio in ratios
        if ratio.value is not None and _kind(ratio) == kind
    }


def other_ratios(ratios: Iterable[Ratio]) -> list[Ratio]:
    """The ratios that are not of one region."""
    return [ratio for ratio in ratios if not _kind(ratio)]


def _kind(ratio: Ratio) -> str:
    kinds = (MEAN_COUNTS, LEFT_RIGHT)
    return next((kind for kind in kinds if ratio.name.removeprefix(f"{kind}_") in CODES), "")
