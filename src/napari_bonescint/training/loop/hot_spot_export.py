"""Calibrate and score a trained model that finds hot spots, for its card."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import minimize_scalar

from napari_bonescint.inference.model_registry import current_model
from napari_bonescint.inference.segmenter import Segmenter
from napari_bonescint.measurement.detection.detector import HotSpotDetector
from napari_bonescint.measurement.measuring import measure_regions
from napari_bonescint.measurement.scoring import operating_point, score_scan
from napari_bonescint.simulation.case import Case
from napari_bonescint.simulation.splits import seed_of, split_of
from napari_bonescint.training.data.lesion_examples import BENIGN, LESION, true_classes, vary_healthy
from napari_bonescint.training.loop.spot_weights import fit_spot_weights, labelled_spots

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_bonescint.inference.model_card import ModelCard
    from napari_bonescint.scan import Scan

LIMITS = [
    "Lesions were learnt from simulated scans only; the model was not validated on patients.",
    "Metastases, fractures, worn joints and Paget's disease are those of one simulator; others may look different.",
    "It needs region masks, and errors of the masks become errors of the hot spots.",
]
"""Known weaknesses of every model that finds hot spots, for its card."""

_LEAST = 1e-6
_SURE = 0.005
_VARIED_STREAM = 9


def calibrate_and_score(card: ModelCard, paths: Sequence[Path], data: str) -> ModelCard:
    """A card with temperature, spot weights and scores, from held-out cases that the current model segments.

    Parameters
    ----------
    card : ModelCard
        With temperature 1.
    paths : sequence of Path
        Simulated cases, at least one.
    data : str
        Name of the cases on the card.
    """
    counted = [_count(path) for path in paths]
    segmenter = Segmenter(current_model(), "cpu")
    masks = [_regions(segmenter, scan) for _, scan, _ in counted]
    detector = HotSpotDetector(card)
    pixels = [_unsure(detector, scan, regions, case) for (case, scan, _), regions in zip(counted, masks, strict=True)]
    shares, classes = (np.concatenate(parts) for parts in zip(*pixels, strict=True))
    card = dataclasses.replace(card, temperature=fit_temperature(shares, classes))
    calibrated = HotSpotDetector(card)
    spots = [
        labelled_spots(scan, regions, calibrated.classify(scan, regions), case, total)
        for path, known, regions in zip(paths, counted, masks, strict=True)
        # Normal uptake differs more between patients than between simulated ones.
        for case, scan, total in (known, _count(path, is_varied=True))
    ]
    features, is_lesion = (np.concatenate(parts) for parts in zip(*spots, strict=True))
    card = dataclasses.replace(card, spot_weights=fit_spot_weights(features, is_lesion, data, len(counted)))
    calibrated = HotSpotDetector(card)
    scored = [
        score_scan(measure_regions(scan, regions, calibrated), case, total)
        for (case, scan, total), regions in zip(counted, masks, strict=True)
    ]
    point = operating_point(scored)
    figures = {
        "sensitivity": None if math.isnan(point.sensitivity) else point.sensitivity,
        "false alarms a scan": point.false_alarms,
        "false alarms a scan without metastases": point.false_alarms_clean,
    }
    scores: list[dict[str, Any]] = [
        {"metric": metric, "value": round(value, 4), "data": data, "scans": len(counted)}
        for metric, value in figures.items()
        if value is not None
    ]
    return dataclasses.replace(card, scores=scores)


def fit_temperature(shares: NDArray[np.floating], classes: NDArray[np.integer]) -> float:
    """Find the temperature, from 0.5 to 3, that minimises the cross-entropy.

    Guo et al., On calibration of modern neural networks, ICML 2017, section 4.2.

    Parameters
    ----------
    shares : ndarray of shape (pixels, classes)
        Probabilities at temperature 1.
    classes : ndarray of shape (pixels,)
        True classes.
    """
    logits = np.log(np.maximum(shares, _LEAST))

    def loss(log_temperature: float) -> float:
        scaled = logits / math.exp(log_temperature)
        right = np.take_along_axis(scaled, classes[:, None].astype(np.int64), axis=1)[:, 0]
        return float(np.mean(np.logaddexp.reduce(scaled, axis=1) - right))

    best = minimize_scalar(loss, bounds=(math.log(0.5), math.log(3)), method="bounded", options={"xatol": 0.02})
    return round(math.exp(best.x), 3)


def _count(path: Path, *, is_varied: bool = False) -> tuple[Case, Scan, float]:
    seed = seed_of(path)
    case, split = Case.load(path), split_of(seed)
    if is_varied:
        case = vary_healthy(case, np.random.default_rng([seed, _VARIED_STREAM]))
    return case, split.scan(case, seed), split.total(seed)


def _regions(segmenter: Segmenter, scan: Scan) -> NDArray[np.uint8]:
    regions = segmenter.segment(scan).regions
    return np.zeros(scan.counts.shape, np.uint8) if regions is None else regions


def _unsure(
    detector: HotSpotDetector, scan: Scan, regions: NDArray[np.uint8], case: Case
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Probabilities (pixels, classes) and classes of bone pixels that are not clearly neither."""
    found = detector.classify(scan, regions)
    unsure = (regions > 0) & (found.lesion + found.benign > _SURE)
    shares = np.zeros((int(unsure.sum()), 3), np.float32)
    shares[:, LESION], shares[:, BENIGN] = found.lesion[unsure], found.benign[unsure]
    shares[:, 0] = 1 - shares.sum(axis=1)
    return shares, true_classes(case)[unsure]
