from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import psutil
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel

from gui.panel_actions import PATIENCE_MS, answer
from gui.retrain.verdicts import VERDICT, write_verdict
from napari_bonescint.evaluation.baseline import verdict_folder
from napari_bonescint.evaluation.verdict import Recommendation
from napari_bonescint.inference.model_registry import current_model
from napari_bonescint.training.runs.launch import RunSettings, launch, plan_of_file, start_detached
from napari_bonescint.training.runs.run_control import runs_folder
from napari_bonescint.training.runs.run_folder import running_process
from training.runs.run_folders import SLEEPER, begin, check, occupy, progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from napari import Viewer
    from pytestqt.qtbot import QtBot

    from napari_bonescint.gui.retrain.panel import RetrainWidget
    from napari_bonescint.inference.model_card import ModelCard


@pytest.fixture
def open_retraining(viewer: Viewer) -> Iterator[Callable[[], RetrainWidget]]:
    """Open the panel "Retrain"; one that a test leaves open is closed without a question."""
    panels: list[RetrainWidget] = []

    def open_it() -> RetrainWidget:
        panels.append(viewer.window.add_plugin_dock_widget("napari-bonescint", "Retrain")[1])
        return panels[-1]

    yield open_it
    while panels:
        with suppress(RuntimeError):  # Qt's word that a test closed the panel and it is no more
            panels.pop().close()


@pytest.fixture
def run(tiny_recipe: Path, tmp_path: Path) -> Path:
    """A run that was started by an earlier napari, whose process is gone."""
    run = runs_folder() / "tiny-1"
    settings = RunSettings(plan_of_file(tiny_recipe), (str(tmp_path / "store"),), "phase-u-net-regions", "cpu")
    pid = launch(settings, run)
    psutil.Process(pid).kill()
    (run / "running.json").unlink(missing_ok=True)
    return run


@pytest.fixture
def alive(run: Path) -> Iterator[int]:
    """A process that keeps the run alive, until it is killed."""
    pid = start_detached(SLEEPER, run / "sleeper.txt")
    occupy(run, pid)
    yield pid
    if psutil.pid_exists(pid):
        psutil.Process(pid).kill()


def title(panel: RetrainWidget) -> str:
    return panel.tabs.tabText(panel.tabs.currentIndex())


def test_a_verdict_that_cannot_be_given_leads_to_the_trainings_that_give_one(
    open_retraining: Callable[[], RetrainWidget], tmp_path: Path, qtbot: QtBot
) -> None:
    panel = open_retraining()
    panel.tabs.setCurrentIndex(2)
    panel.verdict.show_verdict(VERDICT, tmp_path)
    assert not panel.verdict.folds_button.isVisible()
    panel.verdict.show_verdict(replace(VERDICT, recommendation=Recommendation.CANNOT_TELL), tmp_path)
    qtbot.waitUntil(panel.verdict.folds_button.isVisible)
    qtbot.mouseClick(panel.verdict.folds_button, Qt.MouseButton.LeftButton)
    assert title(panel) == "Set up"
    assert panel.setup.folds.value
    assert panel.setup.folds.text in panel.verdict.folds_button.text()


def test_a_running_training_is_found_when_napari_starts(
    run: Path, alive: int, open_retraining: Callable[[], RetrainWidget], qtbot: QtBot
) -> None:
    log = begin(run)
    progress(log, 10, 0.9)
    panel = open_retraining()
    qtbot.waitUntil(lambda: panel.training.status.text().startswith("Step 10 of 40"))
    assert title(panel) == "Training"
    check(log, run, 20, 0.8)
    progress(log, 20, 0.5)
    qtbot.waitUntil(lambda: panel.training.dice.latest == "0.8" and panel.training.samples.picture.isVisible())
    psutil.Process(alive).kill()
    qtbot.waitUntil(lambda: "ended unexpectedly" in panel.training.status.text())
    assert panel.training.pause_button.text() == "Go on"


def test_pause_and_stop_are_requests_that_the_training_finds(
    run: Path, alive: int, open_retraining: Callable[[], RetrainWidget], qtbot: QtBot
) -> None:
    progress(begin(run), 10, 0.9)
    panel = open_retraining()
    qtbot.waitUntil(panel.training.stop_button.isEnabled)
    qtbot.mouseClick(panel.training.pause_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil((run / "request").exists)
    assert (run / "request").read_text() == "pause"
    qtbot.mouseClick(panel.training.stop_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: (run / "request").read_text() == "stop")


@pytest.mark.parametrize(
    ("choice", "closes", "requested"),
    [("Leave it running", True, None), ("Stop and keep the best", True, "stop"), ("Cancel", False, None)],
)
def test_closing_napari_leaves_a_training_or_stops_it_as_asked(
    choice: str,
    closes: bool,
    requested: str | None,
    viewer: Viewer,
    run: Path,
    alive: int,
    open_retraining: Callable[[], RetrainWidget],
    qtbot: QtBot,
) -> None:
    progress(begin(run), 10, 0.9)
    panel = open_retraining()
    qtbot.waitUntil(panel.training.stop_button.isEnabled)
    window = viewer.window._qt_window
    window.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    answer(choice)
    window.close()
    assert window.isVisible() is not closes
    path = run / "request"
    assert (path.read_text() if path.exists() else None) == requested
    assert running_process(run) == alive


def test_nothing_is_asked_when_nothing_is_trained(
    viewer: Viewer, run: Path, open_retraining: Callable[[], RetrainWidget], qtbot: QtBot
) -> None:
    progress(begin(run), 10, 0.9)
    panel = open_retraining()
    qtbot.waitUntil(lambda: panel.training.pause_button.text() == "Go on")
    window = viewer.window._qt_window
    window.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    window.close()
    assert not window.isVisible()


def test_a_training_that_cannot_go_on_says_why(
    run: Path, open_retraining: Callable[[], RetrainWidget], qtbot: QtBot
) -> None:
    panel = open_retraining()
    qtbot.waitUntil(panel.training.pause_button.isEnabled)
    qtbot.mouseClick(panel.training.pause_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: running_process(run) not in (None, os.getpid()), timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: "store" in panel.training.status.text(), timeout=PATIENCE_MS)


def test_escape_ends_the_comparison_of_weights(
    viewer: Viewer,
    run: Path,
    make_model: Callable[..., ModelCard],
    open_retraining: Callable[[], RetrainWidget],
    qtbot: QtBot,
) -> None:
    new = make_model()
    for path in (new.weights_path, new.weights_path.with_suffix(".json")):
        path.rename(run / path.name)
    begin(run).append("finished", step=40, weights=f"{new.name}.safetensors", card=f"{new.name}.json", stopped=False)
    panel = open_retraining()
    qtbot.waitUntil(lambda: panel.comparison._child.is_running)
    panel.window().activateWindow()
    qtbot.waitUntil(panel.isActiveWindow)
    qtbot.keyClick(viewer.window._qt_viewer.canvas.native, Qt.Key.Key_Escape)
    assert not panel.comparison._child.is_running
    assert panel.verdict.sentence.text() == "The comparison was cancelled."
    assert panel.verdict.compare_button.isVisibleTo(panel.verdict)


def test_the_weights_of_a_finished_training_are_judged_and_put_to_use(
    run: Path, make_model: Callable[..., ModelCard], open_retraining: Callable[[], RetrainWidget], qtbot: QtBot
) -> None:
    new = make_model()
    for path in (new.weights_path, new.weights_path.with_suffix(".json")):
        path.rename(run / path.name)
    log = begin(run)
    log.append("finished", step=40, weights=f"{new.name}.safetensors", card=f"{new.name}.json", stopped=False)
    write_verdict(verdict_folder(run / f"{new.name}.safetensors", current_model()))
    panel = open_retraining()
    qtbot.waitUntil(panel.verdict.use_button.isEnabled)
    panel.tabs.setCurrentIndex(2)
    qtbot.mouseClick(panel.verdict.use_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "in use from now on" in panel.verdict.sentence.text())
    assert current_model().weights_sha256 == new.weights_sha256
    qtbot.waitUntil(lambda: panel.models.list.count() == 2)

    panel.runs.native.activated.emit(0)
    qtbot.waitUntil(lambda: "These weights are in use." in panel.verdict.sentence.text())
    assert "compared with present (00000000)" in panel.verdict.sentence.text()
    assert not panel.verdict.use_button.isEnabled()


def test_the_panel_says_that_it_is_no_medical_device(open_retraining: Callable[[], RetrainWidget]) -> None:
    notices = [label.text() for label in open_retraining().findChildren(QLabel)]
    assert "Research software, not a medical device." in notices
