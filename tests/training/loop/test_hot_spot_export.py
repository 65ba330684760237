"""A training that finds hot spots: a few steps, its card, and its calibration."""

from dataclasses import replace

import numpy as np
import pytest

from napari_bonescint.inference.model_card import FINDING_HOT_SPOTS, read_card
from napari_bonescint.measurement.detection.detector import HotSpotDetector
from napari_bonescint.resources import shipped_folder
from napari_bonescint.training.data.sources import SimulatedCaseFiles
from napari_bonescint.training.data.training_data import TrainingData
from napari_bonescint.training.loop.export import publish_scored
from napari_bonescint.training.loop.hot_spot_export import LIMITS, fit_temperature
from napari_bonescint.training.loop.recipe import read_recipe
from napari_bonescint.training.loop.trainer import Trainer


def test_the_bundled_recipe_trains_a_model_that_finds_hot_spots(fabric, cases, tmp_path):
    recipe = read_recipe(shipped_folder("train") / "recipes" / "hot-spots.toml")
    recipe = replace(recipe, name="mine", rows=64, columns=32, batch=2, steps=2)
    material = TrainingData(None, SimulatedCaseFiles(cases[:1]), tuple(cases[1:]))
    trainer = Trainer(recipe, material.source(0.5), fabric)
    trainer.fit(workers=0)
    card = publish_scored(trainer.finished(), recipe, material, tmp_path, "cpu")
    assert read_card(tmp_path / "mine.json") == card
    assert (card.purpose, card.outputs, card.names_regions) == (FINDING_HOT_SPOTS, 3, False)
    assert {"false alarms a scan"} <= {score["metric"] for score in card.scores}
    assert set(LIMITS) <= set(card.limits)
    assert HotSpotDetector(card).card == card


@pytest.mark.parametrize("temperature", [0.7, 1.0, 2.0])
def test_the_temperature_that_was_applied_is_found(temperature):
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (40_000, 3))
    true = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    classes = (true.cumsum(axis=1) < rng.random((len(true), 1))).sum(axis=1)
    # A network that is too sure by this factor says:
    said = np.exp(logits * temperature)
    said /= said.sum(axis=1, keepdims=True)
    assert fit_temperature(said, classes) == pytest.approx(temperature, rel=0.05)
