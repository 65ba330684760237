"""How likely a hot spot is a metastasis, from its pixels' probabilities, its place, and the other hot spots.

A network judges pixels by some centimetres around them. It hardly sees whether the patient has metastases at all, and
whether the opposite view shows the same. A logistic regression on few features adds that; its weights are on the
model's card.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit, logit

from napari_bonescint.inference.model_card import SpotWeights
from napari_bonescint.measurement.hot_spots.pairing import find_mirrored, find_partners
from napari_bonescint.measurement.hot_spots.surroundings import is_in_face, look_around
from napari_bonescint.measurement.hot_spots.suspicion import joint_near

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_bonescint.measurement.hot_spots.marked import MarkedPixels
    from napari_bonescint.scan import Spacing

FEATURES = (
    "mean",
    "highest",
    "in other view",
    "highest elsewhere",
    "number elsewhere",
    "area",
    "ring",
    "mirrored",
    "joint",
    "face",
)
"""Names of the features, see `spot_features`."""

PIXELS_ALONE = SpotWeights({"mean": 0.5, "highest": 0.5}, 0.0, "", 0)
"""What is assumed before anything is measured: the probability of the pixels, nothing else."""

_LEAST = 1e-4
_NOWHERE = float(logit(0.005))
_USUAL_RING, _HIGHEST_RING = 0.5, 2.0


def spot_features(
    marked: MarkedPixels,
    labels: NDArray[np.uint16],
    regions: NDArray[np.uint8],
    counts: NDArray[np.generic],
    lesion: NDArray[np.float32],
    spacing: Spacing,
) -> NDArray[np.float64]:
    """Features (spots, `FEATURES`) of all hot spots of a scan.

    The log-odds of the mean and of the highest probability of its pixels; the log-odds of the highest probability of
    the same lesion in the other view, and of all other lesions (those of 0.005 if there are none); the logarithm of 1
    plus the expected number of other metastases; that of its area over 100 mm2; the logarithm (base 2) of its mean
    counts over those of the bone in a ring around it, at most 2 (0.5 without such bone); 1 if it is alike on the other
    side, at a joint, in the face.

    Parameters
    ----------
    marked : MarkedPixels
        The pixels of the spots.
    labels : ndarray of uint16, shape (view, y, x)
        The spots.
    regions : ndarray of uint8, shape (view, y, x)
        Region codes.
    counts : ndarray of shape (view, y, x)
        Counts.
    lesion : ndarray of float32, shape (view, y, x)
        Probability that a metastasis raises the counts of a pixel.
    spacing : (float, float)
        Pixel spacing (y, x) in mm.
    """
    around = look_around(marked, labels, regions, counts, spacing)
    of_pixels = lesion.reshape(-1)[marked.at].astype(np.float64)
    mean, highest = _log_odds(marked.mean(of_pixels)), _log_odds(marked.highest(of_pixels))
    partner = find_partners(marked, spacing)
    # A lesion that both views show is one lesion.
    lesion_of = np.where(partner >= 0, np.minimum(np.arange(len(marked)), partner), np.arange(len(marked)))
    others = lesion_of[:, None] != lesion_of[None]
    elsewhere = np.where(others, highest[None], _NOWHERE).max(axis=1, initial=_NOWHERE)
    number = (others * expit(highest)[None]).sum(axis=1) / len(marked.bones.views)
    own = marked.mean(counts.reshape(-1)[marked.at].astype(np.float64))
    ring = np.log2(np.maximum(own, 1e-9) / np.maximum(around.ring_mean, 1e-9))
    return np.stack(
        [
            mean,
            highest,
            np.where(partner >= 0, highest[partner], _NOWHERE),
            elsewhere,
            np.log1p(number),
            np.log(marked.pixels * spacing[0] * spacing[1] / 100),
            np.clip(np.nan_to_num(ring, nan=_USUAL_RING), -_HIGHEST_RING, _HIGHEST_RING),
            find_mirrored(marked, spacing),
            [bool(joint_near(np.flatnonzero(codes).tolist())) for codes in around.near],
            is_in_face(marked),
        ],
        axis=1,
    ).astype(np.float64)


def spot_probabilities(features: NDArray[np.float64], weights: SpotWeights) -> NDArray[np.float64]:
    """Probability (spots,) of a metastasis, from features (spots, `FEATURES`)."""
    each = np.array([weights.weights.get(name, 0.0) for name in FEATURES])
    probability: NDArray[np.float64] = expit(features @ each + weights.bias)
    return probability


def _log_odds(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    odds: NDArray[np.float64] = logit(np.clip(probability, _LEAST, 1 - _LEAST))
    return odds
