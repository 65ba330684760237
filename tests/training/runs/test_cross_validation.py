"""Trainings on a part of the patients each, from the command line to the verdict."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from judged import corrected_store, threshold_model
from napari_bonescint.cli import main
from napari_bonescint.corrections.store.records.revision import Origin
from napari_bonescint.evaluation.fold_scores import read_fold_scores
from napari_bonescint.evaluation.verdict import Recommendation, SetKind, read_verdict
from napari_bonescint.inference.model_card import read_card
from napari_bonescint.training.runs.event_log import read_events

if TYPE_CHECKING:
    from pathlib import Path

    from napari_bonescint.corrections.store.label_store import LabelStore
    from napari_bonescint.inference.model_card import ModelCard

RECIPE = """\
name = "tiny"
description = "For tests"
architecture = "fdn-5"
outputs = 17
grid_mm = 12.0
rows = 48
columns = 24
batch = 2
keep_phases = [1]
learning_rate = 0.05
warm_up = 1
steps = 10
dice_weight = 0.5
average = 0.5
seed = 1
check_every = 10
"""
PATIENTS = 10


@pytest.fixture
def recipe_file(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(RECIPE)
    return path


@pytest.fixture
def store(tmp_path: Path) -> LabelStore:
    """A scan of each of ten patients, none of whom is held out."""
    return corrected_store(tmp_path / "store", PATIENTS, Origin.empty(), held_out=False)


@pytest.fixture
def bad(tmp_path: Path) -> ModelCard:
    """Takes soft tissue for bone."""
    return threshold_model(tmp_path, "bad", 0.2)


def train(recipe_file: Path, store: LabelStore, start: ModelCard, *options: str) -> tuple[int, Path]:
    runs = recipe_file.parent / "runs"
    command = ["train", str(recipe_file), "--runs", str(runs), "--store", str(store.folder), "--device", "cpu"]
    return main([*command, "--workers", "0", "--start", str(start.weights_path), *options]), runs / "tiny"


def test_few_patients_are_all_scored_by_trainings_that_have_not_seen_them_and_decide(
    recipe_file: Path, store: LabelStore, bad: ModelCard, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    status, run = train(recipe_file, store, bad, "--folds", "3")
    said = capsys.readouterr()
    assert status == 0, said.err
    card = read_card(run / "tiny.json")
    scores = read_fold_scores(run / "tiny.folds.json")
    assert scores is not None
    assert (scores.folds, scores.steps) == (3, 10)
    assert sorted(scan.case for scan in scores.scans) == sorted(store.keys())
    assert {scan.fold for scan in scores.scans} == {1, 2, 3}
    # No weights of a fold are left.
    assert sorted(path.name for path in (run / "folds").iterdir()) == [f"fold-{fold}.json" for fold in (1, 2, 3)]
    assert [path.name for path in run.rglob("*.safetensors")] == ["tiny.safetensors"]
    assert card.training["out_of_fold"]["folds"] == 3
    assert (
        "Scored by trainings that had not seen them: On the corrected scans of 10 patients the Dice of the" in said.out
    )
    folds = [event for event in read_events(run / "log.jsonl")[0] if event["event"] == "fold"]
    assert [(event["fold"], event["folds"], event["step"]) for event in folds] == [(1, 3, 10), (2, 3, 10), (3, 3, 10)]

    report = tmp_path / "report"
    judged = ["judge", "--new", str(card.weights_path), "--current", str(bad.weights_path)]
    assert main([*judged, "--store", str(store.folder), "--report", str(report), "--device", "cpu"]) == 0
    verdict = read_verdict(report)
    (row,) = [row for row in verdict.rows if row.set is SetKind.CORRECTED and row.region == "skeleton"]
    assert row.patients == PATIENTS
    kept = [row for row in card.training["out_of_fold"]["rows"] if row["region"] == "skeleton"]
    assert [row.new, row.difference, row.low] == [kept[0][name] for name in ("new", "difference", "low")]
    assert verdict.recommendation is not Recommendation.CANNOT_TELL
    assert any(
        sentence.startswith(
            "Too few patients are held out for a verdict, so 10 patients decide: each was scored by one"
        )
        for sentence in verdict.sentences
    )


def test_folds_that_are_done_are_not_trained_again_and_are_of_the_same_recipe(
    recipe_file: Path, store: LabelStore, bad: ModelCard, capsys: pytest.CaptureFixture[str]
) -> None:
    _, run = train(recipe_file, store, bad, "--folds", "2")
    (run / "folds" / "fold-2.json").unlink()
    (run / "checkpoint.pt").unlink()
    first = (run / "folds" / "fold-1.json").read_bytes()
    second = (run / "tiny.folds.json").read_bytes()
    capsys.readouterr()
    assert train(recipe_file, store, bad, "--folds", "2")[0] == 0
    told = capsys.readouterr().out
    assert "tiny: fold 2 of 2" in told
    assert "tiny: fold 1 of 2" not in told
    assert (run / "folds" / "fold-1.json").read_bytes() == first
    assert json.loads((run / "tiny.folds.json").read_bytes()) == json.loads(second)
    recipe_file.write_text(RECIPE.replace("seed = 1", "seed = 2"))
    assert train(recipe_file, store, bad, "--folds", "2")[0] == 1
    assert "belongs to another recipe, start or other corrected scans; start a new training" in capsys.readouterr().err


def test_more_folds_than_patients_are_one_sentence(
    recipe_file: Path, store: LabelStore, bad: ModelCard, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(recipe_file, store, bad, "--folds", "11")[0] == 1
    assert "11 folds need corrected scans of at least 11 patients, and there are 10." in capsys.readouterr().err


def test_few_patients_are_offered_folds(
    recipe_file: Path, store: LabelStore, bad: ModelCard, capsys: pytest.CaptureFixture[str]
) -> None:
    train(recipe_file, store, bad)
    assert "corrected scans of 10 patients, too few for a verdict; --folds 5 trains 5" in capsys.readouterr().out
