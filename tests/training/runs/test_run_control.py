from __future__ import annotations

import os
from typing import TYPE_CHECKING

from napari_bonescint.training.runs.run_control import Request, ask, runs_folder, runs_in

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_request_is_there_until_it_is_taken_back(tmp_path: Path) -> None:
    ask(tmp_path, Request.PAUSE)
    assert (tmp_path / "request").read_text() == "pause"
    ask(tmp_path, Request.STOP)
    assert (tmp_path / "request").read_text() == "stop"
    ask(tmp_path, Request.GO_ON)
    ask(tmp_path, Request.GO_ON)
    assert not (tmp_path / "request").exists()


def test_runs_are_listed_the_newest_first(tmp_path: Path) -> None:
    for when, name in enumerate(("older", "newer")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "settings.json").write_text("{}")
        os.utime(tmp_path / name / "settings.json", (when, when))
    (tmp_path / "something else").mkdir()
    assert [run.name for run in runs_in(tmp_path)] == ["newer", "older"]
    assert runs_in(tmp_path / "none") == []


def test_the_folder_of_runs_can_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BONESCINT_RUNS", str(tmp_path))
    assert runs_folder() == tmp_path
