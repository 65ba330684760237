"""Export the trained model: weights, and a card with its training and its scores."""

from __future__ import annotations

import dataclasses
import platform
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import torch

from napari_bonescint.evaluation.calibration import fit_temperature
from napari_bonescint.evaluation.lineage import lineage_after
from napari_bonescint.evaluation.model_scores import Scores
from napari_bonescint.evaluation.reference_sets import SimulatedSet
from napari_bonescint.evaluation.view_scores import segment_references
from napari_bonescint.inference.model_registry import find_model
from napari_bonescint.inference.segmenter import Segmenter
from napari_bonescint.simulation.splits import read_splits
from napari_bonescint.text.formatting import counted
from napari_bonescint.training.loop.checkpoint import publish, write_card
from napari_bonescint.training.loop.hot_spot_export import LIMITS, calibrate_and_score
from napari_bonescint.training.loop.listener import TrainingListener
from napari_bonescint.training.loop.validation import has_validation, validation_scans

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from napari_bonescint.evaluation.reference_sets import Reference
    from napari_bonescint.evaluation.view_scores import SegmentedReference, ViewScore
    from napari_bonescint.inference.model_card import ModelCard
    from napari_bonescint.training.data.training_data import TrainingData
    from napari_bonescint.training.loop.listener import FinishedTraining
    from napari_bonescint.training.loop.recipe import Recipe

_CALIBRATING_SCANS = 6


class Export(TrainingListener):
    """Exports the final weights of a training, unless they are its initial weights.

    Parameters
    ----------
    recipe : Recipe
    material : TrainingData
    out : Path
        Folder for NAME.safetensors and NAME.json.
    device : str
        Device for scoring.
    listeners : sequence of TrainingListener
        They receive the result.

    Attributes
    ----------
    card : ModelCard or None
        Card of the exported weights; None if none were exported yet.
    """

    def __init__(
        self, recipe: Recipe, material: TrainingData, out: Path, device: str, listeners: Sequence[TrainingListener]
    ) -> None:
        self._to, self._listeners = (recipe, material, out, device), listeners
        self.card: ModelCard | None = None

    def export_weights(self, finished: FinishedTraining) -> None:
        """Export the weights, or report the reason why not."""
        reason = ""
        if finished.step == 0 and finished.models:
            reason = no_better(finished.models[-1]["model"], finished.dice, finished.steps_done)
        else:
            self.card = publish_scored(finished, *self._to)
        for listener in self._listeners:
            listener.on_export_end(finished, self.card, reason)


def no_better(start: str, dice: float | None, steps: int) -> str:
    """The message that a training did not improve the Dice of its initial weights."""
    if steps == 0:
        return "No step is done yet, so no weights are exported."
    found = "" if dice is None else f" than {dice:.4f}, that of the start"
    return (
        f"No better than the start: in {counted(steps, 'step')} no validation had a higher Dice{found}, so no weights "
        f"are exported, and {start} is unchanged. Try more corrected scans or another recipe."
    )


def publish_scored(
    finished: FinishedTraining, recipe: Recipe, material: TrainingData, out: Path, device: str
) -> ModelCard:
    """Write weights and their card, calibrated and scored on the validation scans, if there are any.

    Parameters
    ----------
    finished : FinishedTraining
        The weights to export.
    recipe : Recipe
    material : TrainingData
    out : Path
        Folder for NAME.safetensors and NAME.json.
    device : str
        Device for scoring.

    Raises
    ------
    CannotWrite
        If the disk is full or not writable.
    """
    training = {
        "recipe": dataclasses.asdict(recipe),
        "steps_done": finished.step,
        "minutes": round(finished.minutes, 1),
        "started_from": finished.models,
        "history": [{**stretch, "minutes": round(stretch["minutes"], 1)} for stretch in finished.history],
        **_data(material, recipe),
        "torch": torch.__version__,
        "platform": platform.machine(),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    models = [find_model(name) for name in (*recipe.start_partial, *recipe.start)]
    learnt = [] if material.selection is None else material.selection.training + material.selection.validation
    limits = material.limits if recipe.segments else [*material.limits, *LIMITS]
    card = publish(finished.network, recipe, out, training, limits)
    card = dataclasses.replace(card, learnt_from=lineage_after(models, learnt))
    if not has_validation(material):
        # Without validation scans, the temperature of the initial weights is the best estimate.
        return write_card(dataclasses.replace(card, temperature=models[-1].temperature if models else 1.0), out)
    if not recipe.segments:
        paths = sorted(material.held_out_cases)
        return write_card(calibrate_and_score(card, paths, "held-out simulated") if paths else card, out)
    # The card's temperature is 1 here. Masks do not depend on it, so each scan is segmented once.
    segmenter = Segmenter(card, device)
    scores: list[dict[str, Any]] = []
    calibrating: list[SegmentedReference] = []
    for data, references in _sets(material).items():
        views: list[ViewScore] = []
        scans = 0
        for segmented in segment_references(segmenter, references):
            views += segmented.views
            scans += 1
            if not scores and scans <= _CALIBRATING_SCANS:
                calibrating.append(segmented)
        if views:
            scores += Scores.of(views).on_card(data, scans)
    if calibrating:
        bones = [each.reference.regions > 0 for each in calibrating]
        temperature = fit_temperature([each.result.probability for each in calibrating], bones)
        card = dataclasses.replace(card, temperature=temperature)
    return write_card(dataclasses.replace(card, scores=scores), out)


def _sets(material: TrainingData) -> dict[str, Iterable[Reference]]:
    """Validation sets by their names on a card; the first set is for calibration, too."""
    sets: dict[str, Iterable[Reference]] = {}
    if material.selection is not None and material.selection.validation:
        sets["corrected, validation"] = validation_scans(material)
    if material.held_out_cases:
        sets["held-out simulated"] = SimulatedSet(read_splits()["test"], tuple(sorted(material.held_out_cases)))
    return sets


def _data(material: TrainingData, recipe: Recipe) -> dict[str, Any]:
    cases = material.source(recipe.simulated_share)
    return {
        "cases": cases.number,
        "cases_sha256": cases.sha256(),
        "data": material.origin,
        "data_sha256": material.sha256,
    }
