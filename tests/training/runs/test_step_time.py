"""How long a step takes is measured on every device, whatever the recipe."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING

from napari_bonescint.training.runs.step_time import devices, main, seconds_per_step

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from napari_bonescint.training.loop.recipe import Recipe

TOML = """\
name = "tiny"
description = "For tests"
architecture = "fdn-5"
outputs = 1
grid_mm = 12.0
rows = 48
columns = 24
batch = 2
keep_phases = [4]
learning_rate = 0.003
warm_up = 2
steps = 4
dice_weight = 0.5
average = 0.9
seed = 1
"""


def test_a_step_takes_less_than_what_measuring_took(recipe: Recipe) -> None:
    start = time.perf_counter()
    seconds, name = seconds_per_step(recipe, "cpu")
    # It is the mean of two, which were not all that was done.
    assert 0 < 2 * seconds < time.perf_counter() - start
    assert name


def test_each_device_gets_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "tiny.toml"
    path.write_text(TOML)
    monkeypatch.setattr(sys, "argv", ["step_time", str(path)])
    assert main() == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    assert [line["device"] for line in lines] == devices()
    assert devices()[-1] == "cpu"
    assert all(line["seconds"] > 0 and line["name"] for line in lines)


def test_a_recipe_that_is_none_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "tiny.toml"
    path.write_text(TOML.replace("rows = 48\n", ""))
    monkeypatch.setattr(sys, "argv", ["step_time", str(path)])
    assert main() == 1
    told = capsys.readouterr().err.strip()
    assert "tiny.toml" in told
    assert "\n" not in told
