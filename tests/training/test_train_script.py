from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from napari_bonescint.cli import main
from napari_bonescint.inference.model_card import read_card
from napari_bonescint.inference.segmenter import Segmenter
from napari_bonescint.resources import shipped_folder
from napari_bonescint.simulation.case import SIMULATOR
from napari_bonescint.training.loop.fabric import choose_precision
from napari_bonescint.training.runs.event_log import read_events

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_bonescint.simulation.case import Case
    from napari_bonescint.training.loop.recipe import Recipe

    Train = Callable[..., subprocess.CompletedProcess[str]]

SCRIPT = shipped_folder("train") / "train.py"


@pytest.fixture
def train(tmp_path: Path, recipe: Recipe, cases: list[Path], case: Case, capsys: pytest.CaptureFixture[str]) -> Train:
    """Runs train/train.py with a tiny recipe on two cases, held out a third; `here` runs the command that it is."""
    held_out = tmp_path / "held-out"
    held_out.mkdir()
    case.save(held_out / "case_000099.npz")

    def run(
        held_out: Path = held_out,
        steps: int = recipe.steps,
        names: tuple[str, ...] = ("tiny",),
        *,
        here: bool = False,
        options: tuple[str, ...] = (),
        **settings: object,
    ) -> subprocess.CompletedProcess[str]:
        paths = []
        for name in names:
            lines = []
            values = dataclasses.asdict(dataclasses.replace(recipe, name=name, steps=steps)) | settings
            for setting, value in values.items():
                lines.append(f"{setting} = {json.dumps(value)}")
            paths.append(tmp_path / f"{name}.toml")
            paths[-1].write_text("\n".join(lines), encoding="utf-8")
        where = ["--cases", str(cases[0].parent), "--held-out", str(held_out), "--runs", str(tmp_path / "runs")]
        arguments = [*map(str, paths), *where, *options, "--device", "cpu", "--workers", "0"]
        if here:  # without the seconds that a process takes to import torch
            status = main(["train", *arguments])
            return subprocess.CompletedProcess(arguments, status, *capsys.readouterr())
        return subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True, check=False)

    return run


def test_training_publishes_scored_weights_and_goes_on(train: Train, tmp_path: Path) -> None:
    first = train(steps=4)
    assert first.returncode == 0, first.stderr
    assert "tiny: 2 cases, step 0" in first.stdout
    card = read_card(tmp_path / "runs" / "tiny" / "tiny.json")
    assert card.training["steps_done"] == 4
    assert card.training["cases"] == 2
    assert [score["metric"] for score in card.scores] == ["skeleton Dice", "regions Dice"]
    assert "skeleton Dice" in first.stdout
    Segmenter(card, "cpu")

    again = train(steps=4)
    assert "from step 4" in again.stdout
    (stretch,) = read_card(tmp_path / "runs" / "tiny" / "tiny.json").training["history"]
    assert (stretch["steps"], stretch["cases"], stretch["simulator"]) == (4, 2, SIMULATOR)
    assert "cores" in stretch["hardware"]


def test_several_are_trained_in_turn_and_one_that_cannot_be_does_not_stop_the_others(
    train: Train, tmp_path: Path
) -> None:
    first = train(steps=1, names=("first",), here=True)
    assert first.returncode == 0, first.stderr
    weights = tmp_path / "runs" / "first" / "first.safetensors"
    started = train(steps=1, names=("third",), start=(str(weights),), here=True)
    assert "third: started from 10 of 10 tensors of first" in started.stdout
    assert read_card(tmp_path / "runs" / "third" / "third.json").training["started_from"][0]["model"] == "first"

    both = train(steps=1, names=("first", "second"), keep_phases=(4, 4), here=True)
    assert both.returncode == 1
    assert both.stderr.count("keep_phases of") == 2
    both = train(steps=2, names=("first", "second"), here=True)
    assert both.returncode == 1
    assert both.stderr == (
        "first: The checkpoint was trained with steps 1, not 2: start a new training (on the command line: another "
        "--name).\n"
    )
    assert "second: skeleton Dice" in both.stdout


def test_what_cannot_be_scored_is_not_trained(train: Train, tmp_path: Path, cases: list[Path]) -> None:
    (tmp_path / "empty").mkdir()
    nothing = train(held_out=tmp_path / "empty", here=True)
    assert nothing.returncode == 1
    assert nothing.stderr == f"bonescint: {tmp_path / 'empty'}: holds no cases to score on; simulate some first.\n"
    seen = train(held_out=cases[0].parent, here=True)
    assert seen.returncode == 1
    assert "2 of its cases are also in --cases; use other seeds." in seen.stderr
    assert not (tmp_path / "runs").exists()


def test_two_processes_lose_as_one_with_the_batch_of_both(train: Train, tmp_path: Path) -> None:
    # FDN-5 has no batch normalisation, whose statistics each process would gather of its own examples.
    one = train(names=("one",), steps=10, batch=4)
    two = train(names=("two",), steps=10, batch=2, options=("--devices", "2"))
    assert (one.returncode, two.returncode) == (0, 0), one.stderr + two.stderr
    losses = [
        [event["loss"] for event in read_events(tmp_path / "runs" / name / "log.jsonl")[0] if "loss" in event]
        for name in ("one", "two")
    ]
    # Each process rounds its gradients to the numbers that it computes with: 24 bits, or 8 where bfloat16 is native.
    # The examples of one process alone would give a loss that differs by 10 %.
    rounding = 1e-4 if choose_precision("cpu") == "32-true" else 2**-8
    assert losses[1] == pytest.approx(losses[0], rel=rounding)
    (stretch,) = read_card(tmp_path / "runs" / "two" / "two.json").training["history"]
    assert stretch["hardware"].startswith("2 processes, each on ")
