"""Fit how the probability of a hot spot follows from its features, on held-out simulated cases."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from napari_bonescint.measurement.body import spacing_of
from napari_bonescint.measurement.detection.candidates import separate_spots
from napari_bonescint.measurement.examination import examine
from napari_bonescint.measurement.hot_spots.likelihood import FEATURES, PIXELS_ALONE, spot_features
from napari_bonescint.measurement.hot_spots.marked import MarkedPixels
from napari_bonescint.measurement.scoring import touching

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_bonescint.inference.model_card import SpotWeights
    from napari_bonescint.measurement.measures import UptakeClasses
    from napari_bonescint.scan import Scan
    from napari_bonescint.simulation.case import Case

_PENALTY = 10.0


def labelled_spots(
    scan: Scan, regions: NDArray[np.uint8], classes: UptakeClasses, case: Case, total: float
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Features (spots, `FEATURES`) of the spots of a counted case, and which (spots,) are metastases.

    Spots at metastases that could not be seen are left out.
    """
    labels = separate_spots(scan, regions, classes)
    marked = MarkedPixels.of(labels, examine(scan, regions).bones)
    if not len(marked):
        return np.zeros((0, len(FEATURES))), np.zeros(0, bool)
    features = spot_features(marked, labels, regions, scan.counts, classes.lesion, spacing_of(scan))
    touches = touching(labels, case, total)
    truth = [touches[view][spot] for view, spot in zip(marked.view.tolist(), marked.id.tolist(), strict=True)]
    known = np.array([is_lesion is not None for is_lesion in truth])
    return features[known], np.array(truth, object)[known].astype(bool)


def fit_spot_weights(features: NDArray[np.float64], is_lesion: NDArray[np.bool_], data: str, scans: int) -> SpotWeights:
    """Fit a logistic regression, near `PIXELS_ALONE` as far as few spots leave it open.

    Parameters
    ----------
    features : ndarray of float64, shape (spots, features)
        As of `spot_features`.
    is_lesion : ndarray of bool, shape (spots,)
        Which spots are metastases.
    data, scans : str, int
        For the card.
    """
    start = replace(PIXELS_ALONE, data=data, scans=scans)
    if is_lesion.all() or not is_lesion.any():
        return start
    scale = features.std(axis=0) + 1e-6
    usual = np.array([start.weights.get(name, 0.0) for name in FEATURES]) * scale
    columns = np.column_stack([features / scale, np.ones(len(features))])

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        odds, away = columns @ weights, weights[:-1] - usual
        value = np.logaddexp(0, odds).sum() - odds[is_lesion].sum() + _PENALTY / 2 * (away @ away)
        return float(value), columns.T @ (expit(odds) - is_lesion) + _PENALTY * np.append(away, 0)

    found = minimize(loss, np.append(usual, start.bias), jac=True, method="L-BFGS-B").x
    weights = {name: round(float(weight), 4) for name, weight in zip(FEATURES, found[:-1] / scale, strict=True)}
    return replace(start, weights=weights, bias=round(float(found[-1]), 4))
