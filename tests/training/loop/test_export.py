"""The model that a training gives: what its card says of where it comes from and of how good it is."""

from __future__ import annotations

from dataclasses import replace
from statistics import mean
from typing import TYPE_CHECKING

import numpy as np
import pytest

from judged import corrected_store
from napari_bonescint.corrections.selection import select
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.corrections.store.records.revision import Origin
from napari_bonescint.evaluation.lineage import Lineage, lineage_after
from napari_bonescint.formats.dicom.identity import Identity
from napari_bonescint.inference.model_card import read_card
from napari_bonescint.inference.segmenter import Segmenter
from napari_bonescint.training.data.sources import SimulatedCaseFiles
from napari_bonescint.training.data.training_data import TrainingData
from napari_bonescint.training.loop.export import publish_scored
from napari_bonescint.training.loop.trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lightning_fabric import Fabric

    from napari_bonescint.inference.model_card import ModelCard
    from napari_bonescint.simulation.case import Case
    from napari_bonescint.training.loop.recipe import Recipe

    Publish = Callable[[Recipe, TrainingData], ModelCard]


@pytest.fixture
def publish(fabric: Fabric, tmp_path: Path) -> Publish:
    """Train four steps, and publish what there is."""

    def train_and_publish(recipe: Recipe, material: TrainingData) -> ModelCard:
        recipe = replace(recipe, steps=4)
        trainer = Trainer(recipe, material.source(0.5), fabric)
        trainer.fit(workers=0)
        card = publish_scored(replace(trainer.finished(), step=3), recipe, material, tmp_path, "cpu")
        assert read_card(tmp_path / "tiny.json") == card
        return card

    return train_and_publish


def test_the_card_says_where_the_weights_come_from(publish: Publish, recipe: Recipe, cases: list[Path]) -> None:
    training = publish(recipe, TrainingData(None, SimulatedCaseFiles(cases), ())).training
    assert training["steps_done"] == 3
    assert (training["cases"], training["cases_sha256"]) == (2, SimulatedCaseFiles(cases).sha256())
    assert training["recipe"]["architecture"] == "fdn-5"
    assert [(stretch["steps"], stretch["cases"]) for stretch in training["history"]] == [(4, 2)]


def test_without_validation_scans_a_model_is_as_sure_as_the_one_it_came_from(
    publish: Publish, recipe: Recipe, cases: list[Path], make_model: Callable[..., ModelCard]
) -> None:
    material = TrainingData(None, SimulatedCaseFiles(cases), ())
    alone = publish(recipe, material)
    assert (alone.temperature, alone.scores) == (1.0, [])
    start = make_model("start")
    assert start.path is not None
    start.path.write_text(replace(start, temperature=1.7).to_json(), encoding="utf-8")
    assert publish(replace(recipe, start=(str(start.weights_path),)), material).temperature == 1.7


def test_simulated_validation_cases_are_scored(publish: Publish, recipe: Recipe, cases: list[Path]) -> None:
    card = publish(recipe, TrainingData(None, SimulatedCaseFiles(cases[:1]), tuple(cases[1:])))
    assert {score["metric"] for score in card.scores} >= {"skeleton Dice"}
    assert all("corrected" not in score["data"] for score in card.scores)
    assert card.temperature != 1.0


def test_scores_on_validation_patients_are_those_of_the_published_model(
    publish: Publish, recipe: Recipe, case: Case, tmp_path: Path
) -> None:
    store = LabelStore.create(tmp_path / "store")
    for number in range(5):
        scan = case.count(np.random.default_rng(number), 4e5)
        # Bone is outlined and not named, so there is no Dice of regions.
        key = store.add(scan, Identity(patient=f"P{number}"))
        bone = (case.regions > 0).astype(np.uint8)
        store.save(key, bone, Origin.empty(), annotator="Ada", reviewed=True, names_regions=False)
    found = select([store])
    # Which patients validate depends on the store's secret, and of five it may be none.
    patients = found.scans
    card = publish(
        recipe, TrainingData(replace(found, training=patients[:3], validation=patients[3:], held_out=[]), None, ())
    )
    assert card.learnt_from is not None
    lineage = Lineage.of(card)
    # Those who validated chose the weights, and so were learnt from, too.
    assert all(lineage.holds(scan.read()[0].counts) for scan in patients)
    (score,) = card.scores
    segmenter = Segmenter(card, "cpu")
    values = []
    for scan, truth in (validating.read() for validating in patients[3:]):
        masks = zip(segmenter.segment(scan).skeleton, truth, strict=True)
        values += [2 * int((mask & bone).sum()) / int(mask.sum() + bone.sum()) for mask, bone in masks]
    assert (score["metric"], score["data"], score["scans"]) == ("skeleton Dice", "corrected, validation", 2)
    # Cards have four digits.
    assert score["value"] == pytest.approx(mean(values), abs=1e-4)
    assert score["lowest"] == pytest.approx(min(values), abs=1e-4)


def test_what_the_models_learnt_from_that_training_began_with_is_on_the_card_too(
    publish: Publish, recipe: Recipe, cases: list[Path], make_model: Callable[..., ModelCard], tmp_path: Path
) -> None:
    trained = select([corrected_store(tmp_path / "before", 2, Origin.empty(), held_out=False)]).scans
    start = replace(make_model("start"), learnt_from=lineage_after([], trained))
    assert start.path is not None
    start.path.write_text(start.to_json(), encoding="utf-8")
    card = publish(replace(recipe, start=(str(start.weights_path),)), TrainingData(None, SimulatedCaseFiles(cases), ()))
    assert all(Lineage.of(card).holds(scan.read()[0].counts) for scan in trained)
