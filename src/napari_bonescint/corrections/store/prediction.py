"""What a model said about a case, and how good it is likely to be."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.corrections.errors import Damaged
from napari_bonescint.corrections.store import append_only
from napari_bonescint.corrections.store.checksummed_json import read_sealed
from napari_bonescint.corrections.store.difference_maps import uncertainty
from napari_bonescint.corrections.store.plane_files import read_planes, salted
from napari_bonescint.facts import build

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_bonescint.corrections.store.plane_files import Shape
    from napari_bonescint.scan import Spacing
    from napari_bonescint.segmentation import Segmentation

# Probabilities are kept in a byte.
_STEPS = 255
_MASK, _PROBABILITY = ".tif", ".probability.tif"

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


@dataclass(frozen=True)
class PredictionFacts:
    """What is known about a prediction without its masks; see `Prediction`."""

    number: int
    model: str
    model_sha256: str
    names_regions: bool
    uncertainty: float
    predicted_dice: float
    mask_sha256: str
    probability_sha256: str


def add_prediction(folder: Path, segmentation: Segmentation, spacing: Spacing | None) -> None:
    """Add a model's result to the predictions of a case.

    Raises
    ------
    CannotWrite
        If the folder is full, not writable or gone; nothing was added.
    """
    mask = segmentation.skeleton if segmentation.regions is None else segmentation.regions
    probability = np.rint(segmentation.probability * _STEPS).astype(np.uint8)
    # What a shipped model says about a scan can be computed by whoever has the scan.
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
    facts = asdict(known)
    # The number is the file's name.
    del facts["number"]
    parts = {_MASK: kept.content, _PROBABILITY: kept_probability.content}
    append_only.append(folder, parts, facts)


def prediction_facts(folder: Path, number: int) -> PredictionFacts:
    """What is known about a prediction without its masks.

    Raises
    ------
    StoreError
        If it is damaged or cannot be reached.
    """
    path = append_only.part_of(folder, number, append_only.FACTS)
    facts = read_sealed(path)
    try:
        return build(PredictionFacts, facts, number=number)
    except Exception as error:  # facts are data from outside, whoever sealed them
        raise Damaged(f"{path}: is no prediction that this version of bonescint can read.") from error


def last_prediction(folder: Path) -> PredictionFacts | None:
    """What is known about the last prediction of a case whose facts are not damaged; None if there is none.

    Raises
    ------
    StoreError
        If a file cannot be reached.
    """
    for number in reversed(append_only.numbers(folder)):
        with suppress(Damaged):
            return prediction_facts(folder, number)
    return None


def read_prediction(folder: Path, facts: PredictionFacts, shape: Shape) -> Prediction:
    """A prediction with its masks, of shape (view, y, x).

    Raises
    ------
    StoreError
        If a file is damaged or cannot be reached.
    """
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
    return float(uncertainty(p).mean()) if p.size else 0.0
