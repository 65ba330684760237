from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import psutil
import pytest

from napari_bonescint.training.loop.recipe import read_recipe
from napari_bonescint.training.runs.launch import (
    CannotLaunch,
    Plan,
    RunSettings,
    estimate,
    launch,
    name_of_run,
    read_settings,
    shipped_plans,
    start_detached,
)
from napari_bonescint.training.runs.run_folder import running_process
from napari_bonescint.training.runs.run_status import RunStatusReader, Stage
from training.runs.run_folders import SLEEPER, begin, occupy, settle

if TYPE_CHECKING:
    from pathlib import Path

QUICK = Plan("quick: 10 minutes", "quick.toml", 10)


def test_the_shipped_plans_are_recipes_that_exist(tmp_path: Path) -> None:
    assert [plan.title for plan in shipped_plans()] == ["quick: 10 minutes", "full"]
    for plan in shipped_plans():
        assert read_recipe(tmp_path / plan.recipe).steps > 0


def test_the_command_line_says_what_was_chosen(tmp_path: Path) -> None:
    settings = RunSettings(QUICK, ("/a", "/b"), "weights.safetensors", "cuda:1")
    line = " ".join(settings.arguments(tmp_path / "runs/quick-1"))
    assert line == (
        f"train quick.toml --name quick-1 --runs {tmp_path / 'runs'} --store /a /b "
        "--start weights.safetensors --device cuda:1 --minutes 10"
    )
    folded = replace(settings, folds=5)
    assert " ".join(folded.arguments(tmp_path / "runs/quick-1")) == f"{line} --folds 5"


def test_a_name_tells_recipe_and_time_and_no_more() -> None:
    now = datetime(2026, 11, 24, 21, 5, 9)
    assert name_of_run(QUICK, now) == "quick-2026-11-24-210509"
    assert name_of_run(Plan("Mein Plan (ü)", "x", 1), now) == "Mein-Plan-2026-11-24-210509"


def test_a_run_that_cannot_begin_leaves_its_reason(tmp_path: Path) -> None:
    run = tmp_path / "new"
    settings = RunSettings(Plan("none", str(tmp_path / "none.toml"), 1), (str(tmp_path),), "x.safetensors", "cpu")
    pid = launch(settings, run)
    assert read_settings(run) == settings
    settle(lambda: not psutil.pid_exists(pid))
    reader = RunStatusReader(run)
    assert reader.read()[0] is Stage.INTERRUPTED
    assert "none.toml" in reader.last_words()


def test_a_run_is_not_started_twice(tmp_path: Path) -> None:
    begin(tmp_path)
    occupy(tmp_path, psutil.Process().pid)
    with pytest.raises(CannotLaunch, match="already"):
        launch(RunSettings(QUICK, (), "x", "cpu"), tmp_path)


def test_of_two_panels_that_start_one_run_at_once_one_does(tmp_path: Path) -> None:
    settings = RunSettings(Plan("none", str(tmp_path / "none.toml"), 1), (str(tmp_path),), "x.safetensors", "cpu")
    together = threading.Barrier(2)

    def start() -> int | CannotLaunch:
        together.wait()
        try:
            return launch(settings, tmp_path / "new")
        except CannotLaunch as error:
            return error

    with ThreadPoolExecutor(2) as panels:
        ends = [panel.result() for panel in [panels.submit(start) for _ in range(2)]]
    (pid,) = [end for end in ends if isinstance(end, int)]
    (refused,) = [end for end in ends if not isinstance(end, int)]
    assert str(refused) == "The training new is running already."
    settle(lambda: not psutil.pid_exists(pid))
    assert "none.toml" in RunStatusReader(tmp_path / "new").last_words()


def test_settings_that_are_missing_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CannotLaunch, match=r"settings\.json"):
        read_settings(tmp_path)


@pytest.mark.parametrize(
    ("change", "phrase"),
    [
        ({"stores": "/a"}, "stores is '/a'; it takes a list"),
        ({"stores": ["--out=/etc"]}, "'--out=/etc' is not a file or a name"),
        ({"start": "--device"}, "'--device' is not a file or a name"),
        ({"device": 5}, "device is 5; it takes a text"),
        ({"plan": {"title": "quick", "recipe": "-h", "minutes": 10}}, "'-h' is not a file or a name"),
        ({"plan": {"title": "quick", "recipe": "a.toml", "minutes": "10"}}, "minutes is '10'; it takes a number"),
        ({"plan": []}, "is no object"),
    ],
)
def test_settings_that_would_start_something_else_are_refused(
    tmp_path: Path, change: dict[str, object], phrase: str
) -> None:
    settings = {
        "plan": {"title": "q", "recipe": "q.toml", "minutes": 1},
        "stores": ["a"],
        "start": "m",
        "device": "cpu",
    }
    (tmp_path / "settings.json").write_text(json.dumps({**settings, **change}))
    with pytest.raises(CannotLaunch, match=phrase):
        read_settings(tmp_path)


def test_a_detached_process_yields_the_processor_and_is_missed_when_it_is_killed(tmp_path: Path) -> None:
    pid = start_detached(SLEEPER, tmp_path / "output.txt")
    process = psutil.Process(pid)
    assert process.nice() != psutil.Process().nice()
    occupy(tmp_path, pid)
    assert running_process(tmp_path) == pid
    process.kill()
    settle(lambda: running_process(tmp_path) is None)


@pytest.mark.parametrize(
    ("seconds_per_step", "words"),
    [
        (0.05, "less than a minute"),
        (1.0, "about 7 min"),
        (15.0, "10 min, enough for about 10 % of its steps"),
    ],
)
def test_an_estimate_is_in_words(seconds_per_step: float, words: str) -> None:
    assert words in estimate(QUICK, 400, seconds_per_step)


def test_an_estimate_of_several_trainings_tells_how_many() -> None:
    assert estimate(QUICK, 400, 1.0, 6) == "6 trainings, each about 7 min"
