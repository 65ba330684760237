"""Compare the probabilities of bone that two engines compute."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit, softmax

if TYPE_CHECKING:
    from numpy.typing import NDArray


def bone(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probability of bone (batch, y, x) from logits (batch, outputs, y, x)."""
    probability = expit(logits[:, 0]) if logits.shape[1] == 1 else 1 - softmax(logits, axis=1)[:, 0]
    return np.asarray(probability, np.float32)


def agreement(probability: NDArray[np.float32], reference: NDArray[np.float32]) -> tuple[float, float]:
    """Largest difference between two probabilities of bone, and Dice of their masks (1 if both are empty)."""
    mask, other = probability >= 0.5, reference >= 0.5
    both = int(mask.sum()) + int(other.sum())
    return float(np.abs(probability - reference).max()), 2 * int((mask & other).sum()) / both if both else 1.0
