"""Scores of a model on simulated cases, measured through the very code that serves a click."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_bonescint.anatomy import CODES
from napari_bonescint.inference.segmenter import Segmenter
from napari_bonescint.simulation.case import Case
from napari_bonescint.training.metrics import dice, region_dice

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari_bonescint.inference.model_card import ModelCard

TOTAL_COUNTS = 2.0e6


def evaluate(card: ModelCard, paths: Sequence[Path], device: str = "auto") -> list[dict[str, Any]]:
    """Score a model.

    Parameters
    ----------
    card : ModelCard
    paths : sequence of Path
        Case files that the model was not trained on; each is counted once, with 2 million counts in both views.
    device : str

    Returns
    -------
    list of dict
        For a model card: metric, value (mean over views), spread (standard deviation), lowest, data and scans; that
        of the regions also has the mean of each.
    """
    segmenter = Segmenter(card, device)
    skeleton: list[float] = []
    regions: dict[str, list[float]] = {}
    macro: list[float] = []
    for seed, path in enumerate(sorted(paths)):
        case = Case.load(path)
        result = segmenter.segment(case.count(np.random.default_rng(seed), TOTAL_COUNTS))
        for view, truth in enumerate(case.regions):
            skeleton.append(dice(result.skeleton[view] > 0, truth > 0))
            if result.regions is not None:
                by_name = region_dice(result.regions[view], truth)
                macro.append(statistics.mean(by_name.values()))
                for name, value in by_name.items():
                    regions.setdefault(name, []).append(value)
    scores = [_score("skeleton Dice", skeleton, len(paths))]
    if macro:
        means = {name: round(statistics.mean(regions[name]), 4) for name in CODES if name in regions}
        scores.append({**_score("regions Dice", macro, len(paths)), "regions": means})
    return scores


def _score(metric: str, values: list[float], scans: int) -> dict[str, Any]:
    return {
        "metric": metric,
        "value": round(statistics.mean(values), 4),
        "spread": round(statistics.pstdev(values), 4),
        "lowest": round(min(values), 4),
        "data": "held-out simulated",
        "scans": scans,
    }
