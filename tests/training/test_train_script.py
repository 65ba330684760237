from __future__ import annotations

import dataclasses
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from napari_bonescint.inference.model_card import read_card
from napari_bonescint.inference.segmenter import Segmenter
from napari_bonescint.resources import shipped_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_bonescint.simulation.case import Case
    from napari_bonescint.training.recipe import Recipe

    Train = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def train(tmp_path: Path, recipe: Recipe, cases: list[Path], case: Case) -> Train:
    """Runs train/train.py with a tiny recipe on two cases, held out a third."""
    held_out = tmp_path / "held-out"
    held_out.mkdir()
    case.save(held_out / "case_000099.npz")

    def run(held_out: Path = held_out, steps: int = recipe.steps) -> subprocess.CompletedProcess[str]:
        lines = []
        for name, value in dataclasses.asdict(dataclasses.replace(recipe, steps=steps)).items():
            lines.append(f"{name} = {list(value) if isinstance(value, tuple) else value!r}")
        (tmp_path / "tiny.toml").write_text("\n".join(lines), encoding="utf-8")
        script = [sys.executable, str(shipped_folder("train") / "train.py"), str(tmp_path / "tiny.toml")]
        options = ["--cases", str(cases[0].parent), "--held-out", str(held_out), "--run", str(tmp_path / "run")]
        return subprocess.run(
            [*script, *options, "--device", "cpu", "--workers", "0"], capture_output=True, text=True, check=False
        )

    return run


def test_training_publishes_scored_weights_and_goes_on(train: Train, tmp_path: Path) -> None:
    first = train(steps=4)
    assert first.returncode == 0, first.stderr
    card = read_card(tmp_path / "run" / "tiny.json")
    assert card.training["steps_done"] == 4
    assert card.training["cases"] == 2
    assert [score["metric"] for score in card.scores] == ["skeleton Dice", "regions Dice"]
    assert "skeleton Dice" in first.stdout
    Segmenter(card, "cpu")

    again = train(steps=6)
    assert "from step 4" in again.stdout
    assert read_card(tmp_path / "run" / "tiny.json").training["steps_done"] == 6


def test_what_cannot_be_scored_is_not_trained(train: Train, tmp_path: Path, cases: list[Path]) -> None:
    (tmp_path / "empty").mkdir()
    nothing = train(held_out=tmp_path / "empty")
    assert nothing.returncode == 1
    assert nothing.stderr == f"{tmp_path / 'empty'}: holds no cases to score on; simulate some first.\n"
    seen = train(held_out=cases[0].parent)
    assert seen.returncode == 1
    assert "2 of its cases are trained on too; use other seeds." in seen.stderr
    assert not (tmp_path / "run").exists()
