from __future__ import annotations

import importlib.util
import json
from typing import TYPE_CHECKING, Any

import pytest

from napari_bonescint.inference.model_card import read_card
from napari_bonescint.resources import shipped_folder

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from napari_bonescint.simulation.case import Case

RULE = {"rise": 0.002, "steps": 5000}


@pytest.fixture
def schedule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """train/schedule.py, with a folder of its own for what it trains."""
    spec = importlib.util.spec_from_file_location("schedule", shipped_folder("train") / "schedule.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "TRAIN", tmp_path / "train")
    monkeypatch.setattr(module, "STATE", tmp_path / "train" / "state")
    monkeypatch.setattr(module, "SHIPPED", tmp_path / "weights")
    (tmp_path / "train" / "recipes").mkdir(parents=True)
    return module


def test_a_network_without_the_weights_of_its_last_cycle_is_told(schedule: ModuleType) -> None:
    with pytest.raises(FileNotFoundError, match="no weights of tiny in "):
        schedule.last_weights("tiny")


def cycles(*reached: tuple[int, float]) -> dict[str, Any]:
    return {
        "cycles": [{"steps": steps, "scores": [{"metric": "skeleton Dice", "value": dice}]} for steps, dice in reached],
    }


@pytest.mark.parametrize(
    ("reached", "finished"),
    [
        ([], False),
        ([(6000, 0.93)], False),  # no warm restart
        ([(2000, 0.93), (2000, 0.93)], False),  # too few steps
        ([(2000, 0.93), (2000, 0.935), (2000, 0.9365)], True),  # 0.0015 over the last third
        ([(2000, 0.93), (2000, 0.933), (2000, 0.936)], False),  # 0.003
        ([(1000, 0.93), (5000, 0.931)], True),
        ([(5000, 0.93), (1000, 0.931)], False),  # no cycle ended before the last third
    ],
)
def test_a_network_is_finished_when_the_last_third_brought_nothing(
    schedule: ModuleType, reached: list[tuple[int, float]], finished: bool
) -> None:
    assert schedule.is_finished(cycles(*reached), RULE) is finished


def test_a_cycle_is_kept_and_the_next_goes_on_from_it(
    schedule: ModuleType, tmp_path: Path, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = """
    name = "tiny"\ndescription = "For tests"\narchitecture = "fdn-5"\noutputs = 1\ngrid_mm = 8.0\nrows = 64
    columns = 32\nbatch = 2\nkeep_phases = [4]\nstart = []\nlearning_rate = 0.003\nwarm_up = 2\nsteps = 4
    dice_weight = 0.5\naverage = 0.9\nseed = 1
    """
    (tmp_path / "train" / "recipes" / "tiny.toml").write_text(recipe.replace("    ", ""), encoding="utf-8")
    settings = 'order = ["tiny", "later"]\n[finished]\nrise = 0.002\nsteps = 5000\n'
    (tmp_path / "train" / "schedule.toml").write_text(settings, encoding="utf-8")
    for folder, seed in (("cases", 1), ("held-out", 99)):
        (tmp_path / folder).mkdir()
        case.save(tmp_path / folder / f"case_{seed:06d}.npz")
    where = ["--cases", str(tmp_path / "cases"), "--held-out", str(tmp_path / "held-out")]
    arguments = schedule.parse([*where, "--runs", str(tmp_path / "runs"), "--device", "cpu", "--workers", "0"])
    schedule.train_cycle("tiny", arguments, 5)
    # The weights are shipped.
    (tmp_path / "weights").mkdir()
    for suffix in (".safetensors", ".json"):
        (tmp_path / "train" / "state" / f"tiny{suffix}").rename(tmp_path / "weights" / f"tiny{suffix}")
    assert schedule.last_weights("tiny") == tmp_path / "weights" / "tiny.safetensors"
    schedule.train_cycle("tiny", arguments, 5)
    assert schedule.last_weights("tiny") == tmp_path / "train" / "state" / "tiny.safetensors"
    state = schedule.read_state("tiny")
    assert [(cycle["steps"], cycle["seed"]) for cycle in state["cycles"]] == [(4, 1), (4, 2)]
    first, second = state["cycles"]
    assert first["started_from"] == []
    # The second began with every tensor of the first.
    assert second["started_from"][0]["tensors"] == 10
    assert schedule.steps_of(state) == 8
    # A cycle that was exported after its schedule had been stopped is kept later, and once.
    (tmp_path / "train" / "state" / "tiny.cycles.json").write_text(json.dumps({"cycles": [first]}), encoding="utf-8")
    for _ in range(2):
        schedule.keep_exported(tmp_path / "runs")
        assert schedule.read_state("tiny") == state
    # What is kept is a model like any other, in half precision.
    card = read_card(tmp_path / "train" / "state" / "tiny.json")
    assert card.name == "tiny"
    assert (tmp_path / "train" / "state" / "tiny.safetensors").stat().st_size < 600_000
    text = schedule.table(schedule.read_schedule())
    assert "| tiny | next | 2 | 8 |" in text
    assert "| later | to do | 0 | 0 |" in text
