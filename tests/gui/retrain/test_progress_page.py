from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from qtpy.QtCore import Qt

from napari_bonescint.gui.retrain.progress_page import ProgressPage, facts_of, status_of
from napari_bonescint.training.runs.run_control import Request
from napari_bonescint.training.runs.run_status import RunStatus, Stage

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from napari_bonescint.gui.common.file_worker import FileWorker

HALFWAY = RunStatus(step=20, steps=40, losses=((10, 0.9), (20, 0.5)), dices=((20, 0.8),), seconds_left=1200)


@pytest.fixture
def view(background: FileWorker, qtbot: QtBot) -> ProgressPage:
    view = ProgressPage(background)
    qtbot.addWidget(view)
    view.show()
    return view


def test_a_running_training_can_be_paused_and_stopped(view: ProgressPage, qtbot: QtBot) -> None:
    view.show_run_status(Stage.TRAINING, HALFWAY, "")
    assert view.status.text() == "Step 20 of 40, 20 min left."
    assert (view.bar.value(), view.bar.maximum()) == (20, 40)
    assert (view.loss.latest, view.dice.latest) == ("0.5", "0.8")
    with qtbot.waitSignal(view.requested) as requested:
        qtbot.mouseClick(view.pause_button, Qt.MouseButton.LeftButton)
    assert requested.args == [Request.PAUSE]
    with qtbot.waitSignal(view.requested) as requested:
        qtbot.mouseClick(view.stop_button, Qt.MouseButton.LeftButton)
    assert requested.args == [Request.STOP]


def test_a_paused_training_goes_on_by_taking_the_request_back(view: ProgressPage, qtbot: QtBot) -> None:
    view.show_run_status(Stage.PAUSED, HALFWAY, "")
    assert view.pause_button.text() == "Go on"
    with qtbot.waitSignal(view.requested) as requested:
        qtbot.mouseClick(view.pause_button, Qt.MouseButton.LeftButton)
    assert requested.args == [Request.GO_ON]


@pytest.mark.parametrize("stage", [Stage.INTERRUPTED, Stage.FAILED])
def test_a_training_that_ended_early_can_be_gone_on_with(stage: Stage, view: ProgressPage, qtbot: QtBot) -> None:
    view.show_run_status(stage, HALFWAY, "")
    assert not view.stop_button.isEnabled()
    with qtbot.waitSignal(view.resume_requested):
        qtbot.mouseClick(view.pause_button, Qt.MouseButton.LeftButton)


def test_nothing_moves_once_a_training_has_failed_before_its_first_step(view: ProgressPage) -> None:
    view.show_run_status(Stage.TRAINING, RunStatus(), "")
    assert view.bar.maximum() == 0
    view.show_run_status(Stage.FAILED, RunStatus(failure="There is no scan to learn from."), "")
    assert view.bar.maximum() > 0


def test_a_finished_training_has_nothing_to_press(view: ProgressPage) -> None:
    view.show_run_status(Stage.FINISHED, HALFWAY, "")
    assert not view.pause_button.isEnabled()
    assert not view.stop_button.isEnabled()


@pytest.mark.parametrize(
    ("stage", "run_status", "words", "status"),
    [
        (Stage.TRAINING, RunStatus(), "", "Starting: loading PyTorch and the corrected scans …"),
        (Stage.PAUSED, HALFWAY, "", "Step 20 of 40. Paused."),
        (Stage.FAILED, RunStatus(failure="The loss is nan at step 3."), "", "The loss is nan at step 3."),
        (
            Stage.INTERRUPTED,
            HALFWAY,
            "step 20/40",
            "The training process ended unexpectedly; its last checkpoint is kept. Step 20 of 40.",
        ),
        (
            Stage.INTERRUPTED,
            RunStatus(),
            "Training needs lightning-fabric.",
            "The training process ended unexpectedly: Training needs lightning-fabric.",
        ),
        (
            Stage.FINISHED,
            RunStatus(dices=((20, 0.8),), weights_step=20),
            "",
            "Finished. The weights of step 20 were kept; Dice on validation scans 0.800.",
        ),
        (Stage.FINISHED, RunStatus(outcome="No better than the start."), "", "Finished. No better than the start."),
        (
            Stage.TRAINING,
            replace(HALFWAY, fold=2, folds=5),
            "",
            "Fold 2 of 5, step 20 of 40, 20 min left in this fold.",
        ),
    ],
)
def test_the_status_is_a_sentence(stage: Stage, run_status: RunStatus, words: str, status: str) -> None:
    assert status_of(stage, run_status, words) == status


def test_the_curve_of_each_region_can_be_seen(view: ProgressPage) -> None:
    regions = {"skeleton": ((0, 0.91), (20, 0.92)), "ribs": ((0, 0.5), (20, 0.61))}
    view.show_run_status(Stage.TRAINING, replace(HALFWAY, regions=regions, check_losses=((20, 0.07),)), "")
    assert view.dice.title == "Dice on validation scans"
    for measure, latest, title in (
        ("ribs", "0.61", "Dice of the ribs on validation scans"),
        ("skeleton", "0.92", "Dice of the skeleton on validation scans"),
        ("loss", "0.07", "Loss on validation scans"),
        ("skull", "", "Dice of the skull on validation scans"),
    ):
        view.measures.value = measure
        assert (view.dice.latest, view.dice.title) == (latest, title)


def test_long_lists_of_what_was_left_out_are_cut() -> None:
    left_out = tuple((f"{number:04}", "Damaged.") for number in range(30))
    facts = facts_of(RunStatus(data="4 scans.", left_out=left_out, notes=("The batch was halved.",)))
    assert facts[:3] == ["4 scans.", "30 scans left out:", "  0000: Damaged."]
    assert "22 more" in facts[-2]
    assert facts[-1] == "The batch was halved."


def test_the_latest_of_many_notes_are_shown() -> None:
    facts = facts_of(RunStatus(notes=tuple(f"{number:04}: is damaged." for number in range(30))))
    assert facts[0] == "(22 earlier notes in log.jsonl in the folder of the training)"
    assert facts[1:] == [f"{number:04}: is damaged." for number in range(22, 30)]
