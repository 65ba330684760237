"""A model's result for a case, with its expected quality."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.corrections.errors import Damaged
from napari_bonescint.corrections.store.difference_maps import uncertainty
from napari_bonescint.corrections.store.files import append_only
from napari_bonescint.corrections.store.files.plane_files import read_planes, salted

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_bonescint.corrections.store.files.plane_files import Shape
    from napari_bonescint.scan import Spacing
    from napari_bonescint.segmentation import Segmentation

# Probabilities are kept in a byte.
_STEPS = 255
_MASK, _PROBABILITY = ".tif", ".probability.tif"

# Models are sure of most background; a mean over all pixels would mainly depend on the size of the background.
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
        Probability of bone, in steps of 1/255.
    model, model_sha256 : str
        Name of the model and hash of its weights file.
    uncertainty, predicted_dice : float
        See `uncertainty_of` and `expected_dice`.
    """

    regions: NDArray[np.uint8]
    names_regions: bool
    probability: NDArray[np.float32]
    model: str
    model_sha256: str
    uncertainty: float
    predicted_dice: float


@dataclass(frozen=True)
class PredictionFacts:
    """A prediction without its masks; see `Prediction`."""

    number: int
    model: str
    model_sha256: str
    names_regions: bool
    uncertainty: float
    predicted_dice: float
    mask_sha256: str
    probability_sha256: str


def add_prediction(folder: Path, segmentation: Segmentation, spacing: Spacing | None) -> None:
    """Add a model's result to a folder of predictions; raises `CannotWrite` if that fails."""
    mask = segmentation.skeleton if segmentation.regions is None else segmentation.regions
    probability = np.rint(segmentation.probability * _STEPS).astype(np.uint8)
    # Anybody who has the scan can compute the mask of a shipped model, so its hash must be salted.
    kept, kept_probability = salted(mask, spacing), salted(probability, spacing)
    known = PredictionFacts(
        number=0,
        model=segmentation.model,
        model_sha256=segmentation.model_sha256,
        names_regions=segmentation.regions is not None,
        uncertainty=uncertainty_of(segmentation.probability),
        predicted_dice=expected_dice(segmentation.probability, segmentation.skeleton),
        mask_sha256=kept.sha256,
        probability_sha256=kept_probability.sha256,
    )
    parts = {_MASK: kept.content, _PROBABILITY: kept_probability.content}
    append_only.append(folder, parts, append_only.facts_of(known))


def prediction_facts(folder: Path, number: int) -> PredictionFacts:
    """Read a prediction without its masks; raises `StoreError` if it is damaged or cannot be reached."""
    return append_only.read_facts(PredictionFacts, folder, number, "is no prediction")


def last_prediction(folder: Path) -> PredictionFacts | None:
    """The last intact prediction in a folder, without its masks; None if there is none."""
    for number in reversed(append_only.numbers(folder)):
        with suppress(Damaged):
            return prediction_facts(folder, number)
    return None


def read_prediction(folder: Path, facts: PredictionFacts, shape: Shape) -> Prediction:
    """Read a prediction with its masks, of shape (view, y, x); raises `StoreError` if a file is damaged."""
    mask = read_planes(append_only.part_of(folder, facts.number, _MASK), shape, facts.mask_sha256)
    steps = read_planes(append_only.part_of(folder, facts.number, _PROBABILITY), shape, facts.probability_sha256)
    return Prediction(
        regions=mask.astype(np.uint8, copy=False),
        names_regions=facts.names_regions,
        probability=steps.astype(np.float32) / np.float32(_STEPS),
        model=facts.model,
        model_sha256=facts.model_sha256,
        uncertainty=facts.uncertainty,
        predicted_dice=facts.predicted_dice,
    )


def expected_dice(probability: NDArray[np.float32], skeleton: NDArray[np.uint8]) -> float:
    """The expected Dice of a mask, 0 to 1, from the calibrated probability of bone.

    Parameters
    ----------
    probability : ndarray of float32
        Calibrated probability p of bone, 0 to 1.
    skeleton : ndarray of uint8, of the same shape
        The mask m: 1 for bone, else 0.

    Returns
    -------
    float
        2 Σpm / (Σp + Σm): the ratio of expectations, which is close to the expectation of the ratio for masks of many
        pixels. 1 if both sums are 0.
    """
    p, m = probability.astype(np.float64), skeleton.astype(np.float64)
    total = p.sum() + m.sum()
    return float(2 * (p * m).sum() / total) if total > 0 else 1.0


def uncertainty_of(probability: NDArray[np.float32]) -> float:
    """Mean binary entropy in bits, 0 to 1, over pixels with a probability of bone above 0.02; 0 if there are none."""
    p = probability[probability > _POSSIBLY_BONE].astype(np.float64)
    return float(uncertainty(p).mean()) if p.size else 0.0
