from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.inference.segmenter import Segmenter
from napari_bonescint.training.checkpoint import hash_files, publish, resume, save_checkpoint, write_card
from napari_bonescint.training.evaluate import evaluate
from napari_bonescint.training.fit import Trainer

if TYPE_CHECKING:
    from pathlib import Path

    from napari_bonescint.simulation.case import Case
    from napari_bonescint.training.recipe import Recipe


def test_training_goes_on_from_a_checkpoint(recipe: Recipe, cases: list[Path], tmp_path: Path) -> None:
    trainer = Trainer(recipe, cases, "cpu")
    assert not resume(trainer, tmp_path / "checkpoint.pt")
    trainer.step = 17
    save_checkpoint(trainer, tmp_path / "checkpoint.pt")
    again = Trainer(recipe, cases, "cpu")
    assert resume(again, tmp_path / "checkpoint.pt")
    assert again.step == 17


def test_published_weights_serve_the_segmenter(recipe: Recipe, cases: list[Path], case: Case, tmp_path: Path) -> None:
    trainer = Trainer(recipe, cases, "cpu")
    card = publish(trainer.average, recipe, tmp_path, {"steps_done": 0}, ["none"])
    assert card.parameters > 0
    result = Segmenter(card, "cpu").segment(case.count(np.random.default_rng(0), 1e5))
    assert result.regions is not None
    scored = write_card(replace(card, scores=evaluate(card, cases, "cpu")), tmp_path)
    assert [score["metric"] for score in scored.scores] == ["skeleton Dice", "regions Dice"]
    assert scored.weights_sha256 == card.weights_sha256


def test_the_data_hash_depends_on_content_not_on_order(cases: list[Path]) -> None:
    assert hash_files(cases) == hash_files(cases[::-1])
    before = hash_files(cases)
    cases[0].write_bytes(b"other")
    assert hash_files(cases) != before
