"""The model that comes out of a training: weights, and a card that says how they were made and how good they are."""

from __future__ import annotations

import dataclasses
import platform
import statistics
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

import torch

from napari_bonescint.evaluation.calibration import fit_temperature
from napari_bonescint.evaluation.lineage import lineage_after
from napari_bonescint.evaluation.metrics import Summary, dice, region_dice
from napari_bonescint.evaluation.model_scores import evaluate
from napari_bonescint.evaluation.reference_sets import Reference
from napari_bonescint.inference.model_registry import find_model
from napari_bonescint.inference.segmenter import Segmenter
from napari_bonescint.training.loop.checkpoint import publish, write_card
from napari_bonescint.training.loop.validation import has_validation, validation_scans

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

    from napari_bonescint.inference.model_card import ModelCard
    from napari_bonescint.training.data.training_data import TrainingData
    from napari_bonescint.training.loop.recipe import Recipe
    from napari_bonescint.training.loop.trainer import Trainer

_CALIBRATING_SCANS = 6


def publish_scored(
    network: nn.Module, step: int, trainer: Trainer, recipe: Recipe, material: TrainingData, out: Path, device: str
) -> ModelCard:
    """Write weights and their card, calibrated and scored on what validates, if anything does.

    Parameters
    ----------
    network : torch.nn.Module
        With the weights to publish.
    step : int
        After which step these were the weights.
    trainer : Trainer
        What trained them.
    recipe : Recipe
    material : TrainingData
    out : Path
        Gets NAME.safetensors and NAME.json.
    device : str
        On which to score.

    Raises
    ------
    CannotWrite
        If the disk is full or not writable.
    """
    training = {
        "recipe": dataclasses.asdict(recipe),
        "steps_done": step,
        "minutes": round(trainer.minutes, 1),
        "started_from": trainer.start,
        "history": [{**stretch, "minutes": round(stretch["minutes"], 1)} for stretch in trainer.history],
        **_data(material, recipe),
        "torch": torch.__version__,
        "platform": platform.machine(),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    models = [find_model(name) for name in (*recipe.start_partial, *recipe.start)]
    learnt = [] if material.selection is None else material.selection.training + material.selection.validation
    card = publish(network, recipe, out, training, material.limits)
    card = dataclasses.replace(card, learnt_from=lineage_after(models, learnt))
    if not has_validation(material):
        # Nothing tells how sure these weights are; those that they came from are the best guess.
        return write_card(dataclasses.replace(card, temperature=models[-1].temperature if models else 1.0), out)
    calibrating = [
        Reference(scan.scan, scan.regions) for scan in islice(validation_scans(material), _CALIBRATING_SCANS)
    ]
    card = dataclasses.replace(card, temperature=fit_temperature(Segmenter(card, device), calibrating))
    scores = _corrected_scores(card, material, device)
    if material.held_out_cases:
        scores += evaluate(card, material.held_out_cases, device)
    return write_card(dataclasses.replace(card, scores=scores), out)


def _data(material: TrainingData, recipe: Recipe) -> dict[str, Any]:
    cases = material.source(recipe.simulated_share)
    return {
        "cases": cases.number,
        "cases_sha256": cases.sha256(),
        "data": material.origin,
        "data_sha256": material.sha256,
    }


def _corrected_scores(card: ModelCard, material: TrainingData, device: str) -> list[dict[str, Any]]:
    """Scores on corrected validation scans, for a model card; none where there are no such scans."""
    if material.selection is None or not material.selection.validation:
        return []
    segmenter = Segmenter(card, device)
    skeleton: list[float] = []
    regions: list[float] = []
    scans = 0
    for counted in validation_scans(material):
        result = segmenter.segment(counted.scan)
        scans += 1
        for view, truth in enumerate(counted.regions):
            skeleton.append(dice(result.skeleton[view] > 0, truth > 0))
            if result.regions is not None and counted.names_regions:
                by_name = region_dice(result.regions[view], truth)
                regions += [statistics.mean(by_name.values())] if by_name else []
    found = {"skeleton Dice": skeleton, "regions Dice": regions}
    return [_entry(metric, Summary.of(values), scans) for metric, values in found.items() if values]


def _entry(metric: str, summary: Summary, scans: int) -> dict[str, Any]:
    return {
        "metric": metric,
        "value": summary.mean,
        "spread": summary.spread,
        "lowest": summary.lowest,
        "data": "corrected, validation",
        "scans": scans,
    }
