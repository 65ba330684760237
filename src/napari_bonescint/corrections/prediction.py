"""What a model said about a case, and how good it is likely to be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import entr

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Most of an image is background of which every model is sure; a mean over all of it would only measure its size.
_POSSIBLY_BONE = 0.02


@dataclass(frozen=True)
class Prediction:
    """A model's result for a case.

    Attributes
    ----------
    regions : ndarray of uint8, shape (view, y, x)
        Region codes; 0 and 1 if the model does not name regions.
    names_regions : bool
        Whether `regions` are region codes.
    probability : ndarray of float32, shape (view, y, x)
        Probability of bone, to 1/255.
    model, model_sha256 : str
        Name of the model and hash of its weights file.
    uncertainty : float
        See `uncertainty_of`.
    predicted_dice : float
        See `expected_dice`.
    """

    regions: NDArray[np.uint8]
    names_regions: bool
    probability: NDArray[np.float32]
    model: str
    model_sha256: str
    uncertainty: float
    predicted_dice: float


def expected_dice(probability: NDArray[np.float32], skeleton: NDArray[np.uint8]) -> float:
    """The Dice score of a mask that its model's own probability lets expect, 0 to 1.

    Parameters
    ----------
    probability : ndarray of float32
        Calibrated probability of bone, 0 to 1.
    skeleton : ndarray of uint8, of the same shape
        1 where the model says bone, else 0.

    Returns
    -------
    float
        2 Σpm / (Σp + Σm): the ratio of expectations, which is near the expectation of the ratio for masks of many
        pixels. 1 if nothing is bone and nothing was said to be.
    """
    p, m = probability.astype(np.float64), skeleton.astype(np.float64)
    total = p.sum() + m.sum()
    return float(2 * (p * m).sum() / total) if total > 0 else 1.0


def uncertainty_of(probability: NDArray[np.float32]) -> float:
    """Mean entropy in bits, 0 to 1, of whether a pixel is bone, over pixels that may be (p > 0.02); 0 if none may."""
    p = probability[probability > _POSSIBLY_BONE].astype(np.float64)
    return float(((entr(p) + entr(1 - p)) / np.log(2)).mean()) if p.size else 0.0
