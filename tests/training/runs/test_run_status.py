from __future__ import annotations

import os
from pathlib import Path

import pytest

from napari_bonescint.training.runs.event_log import TrainingLog
from napari_bonescint.training.runs.run_status import RunStatus, RunStatusReader, Stage, describe_data
from training.runs.run_folders import begin, check, occupy, progress


def test_a_running_training_is_followed_line_by_line(tmp_path: Path) -> None:
    log = begin(tmp_path)
    occupy(tmp_path, os.getpid())
    reader = RunStatusReader(tmp_path)
    progress(log, 10, 0.9)
    stage, run_status = reader.read()
    assert stage is Stage.TRAINING
    assert run_status.data == (
        "4 scans of 2 patients to learn from, 2 scans of 1 patient to validate on, "
        "1 scan of 1 patient held out to judge on."
    )
    assert run_status.left_out == (("00ff", "No revision is reviewed."),)
    progress(log, 20, 0.5)
    picture = check(log, tmp_path, 20, 0.8)
    _, run_status = reader.read()
    assert run_status.losses == ((10, 0.9), (20, 0.5))
    assert run_status.dices == ((20, 0.8),)
    assert run_status.samples == ((20, picture),)
    assert (run_status.step, run_status.steps, run_status.seconds_left) == (20, 40, 1200.0)


def test_what_a_run_of_an_earlier_version_learnt_from_is_still_told() -> None:
    event = {"cases": 4, "patients": 2, "held_out_cases": 1, "held_out_patients": 1}
    assert describe_data(event) == "4 scans of 2 patients to learn from, 1 scan of 1 patient held out."


def test_a_training_that_pauses_says_so_until_it_goes_on(tmp_path: Path) -> None:
    log = begin(tmp_path)
    occupy(tmp_path, os.getpid())
    reader = RunStatusReader(tmp_path)
    log.append("paused")
    assert reader.read()[0] is Stage.PAUSED
    log.append("resumed", step=3)
    assert reader.read()[0] is Stage.TRAINING


def test_a_training_whose_process_is_gone_was_interrupted(tmp_path: Path) -> None:
    progress(begin(tmp_path), 10, 0.9)
    (tmp_path / "running.json").write_text('{"pid": 1, "started": -10.0}')
    assert RunStatusReader(tmp_path).read()[0] is Stage.INTERRUPTED


def test_a_training_that_failed_tells_why_until_it_is_begun_anew(tmp_path: Path) -> None:
    log = begin(tmp_path)
    log.append("failed", text="The loss is nan at step 3; lower the learning rate.")
    reader = RunStatusReader(tmp_path)
    stage, run_status = reader.read()
    assert stage is Stage.FAILED
    assert "nan" in run_status.failure
    begin(tmp_path)
    occupy(tmp_path, os.getpid())
    stage, run_status = reader.read()
    assert (stage, run_status.failure) == (Stage.TRAINING, "")


def test_a_finished_training_names_its_weights(tmp_path: Path) -> None:
    log = begin(tmp_path)
    log.append("finished", step=20, weights="new.safetensors", card="new.json", stopped=False)
    stage, run_status = RunStatusReader(tmp_path).read()
    assert stage is Stage.FINISHED
    assert (run_status.weights, run_status.weights_step) == (tmp_path / "new.safetensors", 20)


@pytest.mark.parametrize("weights", ["/elsewhere/new.safetensors", "../../new.safetensors", "C:\\x\\new.safetensors"])
def test_weights_are_looked_for_in_the_runs_own_folder_alone(tmp_path: Path, weights: str) -> None:
    begin(tmp_path).append("finished", step=20, weights=weights, card="new.json", stopped=False)
    assert RunStatusReader(tmp_path).read()[1].weights == tmp_path / "new.safetensors"


def test_a_training_that_made_nothing_better_has_finished_without_weights(tmp_path: Path) -> None:
    log = begin(tmp_path)
    log.append("finished", step=0, weights="", card="", stopped=False, text="No better than the start.")
    stage, run_status = RunStatusReader(tmp_path).read()
    assert stage is Stage.FINISHED
    assert (run_status.weights, run_status.outcome) == (None, "No better than the start.")


def test_looks_tell_loss_and_each_region(tmp_path: Path) -> None:
    log = begin(tmp_path)
    for step, ribs in ((0, 0.5), (10, 0.6)):
        regions = {"skeleton": 0.9, "ribs": ribs}
        log.append("check", step=step, dice=0.7, spread=0.1, loss=0.2 - step / 100, regions=regions, scans=1, best=True)
    run_status = RunStatusReader(tmp_path).read()[1]
    assert run_status.check_losses == ((0, 0.2), (10, 0.1))
    assert run_status.regions == {"skeleton": ((0, 0.9), (10, 0.9)), "ribs": ((0, 0.5), (10, 0.6))}


def test_a_fold_is_told_until_the_training_of_all_begins(tmp_path: Path) -> None:
    log = TrainingLog(tmp_path / "log.jsonl")
    occupy(tmp_path, os.getpid())
    log.append("fold", fold=2, folds=5, step=10, steps=40, loss=0.5, seconds_left=60.0)
    reader = RunStatusReader(tmp_path)
    stage, run_status = reader.read()
    assert stage is Stage.TRAINING
    assert (run_status.fold, run_status.folds, run_status.step, run_status.steps, run_status.losses) == (
        2,
        5,
        10,
        40,
        (),
    )
    begin(tmp_path)
    assert reader.read()[1].fold == 0


def test_steps_that_are_taken_again_replace_the_former_ones(tmp_path: Path) -> None:
    log = begin(tmp_path)
    for step, loss in ((10, 0.9), (20, 0.8), (30, 0.7), (20, 0.75)):
        progress(log, step, loss)
    assert RunStatusReader(tmp_path).read()[1].losses == ((10, 0.9), (20, 0.75))


def test_events_of_another_version_change_nothing() -> None:
    events = [
        {"event": "unheard of"},
        {"event": "progress", "step": "many"},
        {"event": "check"},
        {"event": "check", "step": float("inf"), "dice": 1},
        {"event": ["data"], "left_out": 5},
        {"event": "data", "left_out": [5]},
        {"event": "sample", "step": 1, "file": "../../secret.png"},
        {"event": "sample", "step": 1, "file": "/etc/passwd"},
        {"event": "sample", "step": 1, "file": 5},
    ]
    assert RunStatus().after(events, Path()) == RunStatus()


def test_the_last_words_of_a_process_are_its_last_line(tmp_path: Path) -> None:
    (tmp_path / "output.txt").write_text("step 1\nbonescint: there is no label store.\n\n")
    assert RunStatusReader(tmp_path).last_words() == "there is no label store."
    assert RunStatusReader(tmp_path / "none").last_words() == ""
