"""Score weights on the validation scans during a training, and draw pictures of the results."""

from __future__ import annotations

import io
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image

from napari_bonescint.corrections.errors import StoreError
from napari_bonescint.evaluation.corrected_set import CorrectedSet
from napari_bonescint.evaluation.metrics import Summary
from napari_bonescint.evaluation.model_scores import Scores
from napari_bonescint.evaluation.reference_sets import SimulatedSet
from napari_bonescint.evaluation.report.mask_pictures import LabelledMask, panels_of
from napari_bonescint.evaluation.verdict import SKELETON
from napari_bonescint.evaluation.view_scores import segment_references
from napari_bonescint.inference.segmenter import Segmenter
from napari_bonescint.simulation.splits import read_splits
from napari_bonescint.training.loop.checkpoint import publish

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray
    from torch import nn

    from napari_bonescint.evaluation.reference_sets import Reference
    from napari_bonescint.evaluation.view_scores import ViewScore
    from napari_bonescint.training.data.training_data import TrainingData
    from napari_bonescint.training.loop.recipe import Recipe

MOST_SCANS = 12
_PICTURED = 2
_WIDTH, _HEIGHT = 600, 400


class ValidationScores(NamedTuple):
    """Scores of a network on the validation scans.

    Attributes
    ----------
    dice : Summary
        Over views: the mean Dice of the regions if both model and mask name regions, otherwise Dice of the skeleton.
    loss : float
        Mean over views of the cross-entropy of bone.
    regions : dict of str to float
        Mean Dice of ``skeleton`` and of each region, over the views that show it.
    scans : int
    picture : bytes
        PNG of the first scans: as acquired, with the true mask, with the model's mask.
    seconds : float
        Duration of the validation.
    """

    dice: Summary
    loss: float
    regions: dict[str, float]
    scans: int
    picture: bytes
    seconds: float


def validation_scans(material: TrainingData) -> Iterator[Reference]:
    """The validation scans, always the same: corrected scans if there are any, otherwise simulated ones.

    Held-out patients are excluded, because scans that choose the weights must not be used to compare them. Scans are
    read one by one; unreadable ones are left out.
    """
    selection = material.selection
    if selection is None or not selection.validation:
        yield from SimulatedSet(read_splits()["test"], material.held_out_cases[:MOST_SCANS])
        return
    for corrected in selection.validation[:MOST_SCANS]:
        with suppress(StoreError):
            yield from CorrectedSet([corrected])


def has_validation(material: TrainingData) -> bool:
    """True if there are validation scans."""
    return bool(material.held_out_cases or (material.selection is not None and material.selection.validation))


def validate(network: nn.Module, recipe: Recipe, material: TrainingData, device: str) -> ValidationScores | None:
    """Segment and score the validation scans, with the code that the plugin segments with.

    Parameters
    ----------
    network : torch.nn.Module
    recipe : Recipe
        The network's recipe.
    material : TrainingData
    device : str

    Returns
    -------
    ValidationScores or None
        None if no validation scan can be read.
    """
    began = time.monotonic()
    views: list[ViewScore] = []
    panels: list[NDArray[np.uint8]] = []
    scans = 0
    with tempfile.TemporaryDirectory(prefix="bonescint-") as folder:
        segmenter = Segmenter(publish(network, recipe, Path(folder), {}, []), device)
        for reference, result, scored in segment_references(segmenter, validation_scans(material)):
            views += scored
            if scans < _PICTURED:
                masks = [LabelledMask.of_truth(reference), LabelledMask.of_model("model", result)]
                panels += panels_of(reference.scan.counts, masks, 0)
            scans += 1
    if not scans:
        return None
    scores = Scores.of(views)
    regions = {SKELETON: scores.skeleton.mean, **scores.regions}
    dice, picture = Summary.of([view.dice for view in views]), _png(panels)
    return ValidationScores(dice, scores.loss, regions, scans, picture, time.monotonic() - began)


def _png(panels: Sequence[NDArray[np.uint8]]) -> bytes:
    """A PNG with pictures side by side, scaled to fit."""
    width = _WIDTH // len(panels)
    sheet = Image.new("RGB", (_WIDTH, _HEIGHT), "white")
    for index, panel in enumerate(panels):
        picture = Image.fromarray(panel)
        picture.thumbnail((width, _HEIGHT), Image.Resampling.BILINEAR)
        sheet.paste(picture, (index * width + (width - picture.width) // 2, (_HEIGHT - picture.height) // 2))
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
