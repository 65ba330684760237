from __future__ import annotations

import os
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject

from napari_bonescint.gui.retrain.run_monitor import RunMonitor
from napari_bonescint.training.runs.launch import start_detached
from napari_bonescint.training.runs.run_status import Stage
from training.runs.run_folders import SLEEPER, begin, occupy, progress

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from napari_bonescint.gui.common.file_worker import FileWorker


def test_a_run_is_followed_while_it_is_alive_and_its_death_is_noticed(
    tmp_path: Path, background: FileWorker, qtbot: QtBot
) -> None:
    import psutil

    parent = QObject()
    watch = RunMonitor(parent, background)
    told: list[tuple[Stage, int]] = []
    watch.changed.connect(lambda stage, run_status, _words: told.append((stage, run_status.step)))
    log = begin(tmp_path)
    pid = start_detached(SLEEPER, tmp_path / "output.txt")
    occupy(tmp_path, pid)
    watch.follow(tmp_path)
    qtbot.waitUntil(lambda: (Stage.TRAINING, 0) in told)
    progress(log, 10, 0.5)
    qtbot.waitUntil(lambda: (Stage.TRAINING, 10) in told)
    psutil.Process(pid).kill()
    qtbot.waitUntil(lambda: (Stage.INTERRUPTED, 10) in told)


def test_a_run_that_is_followed_no_more_is_silent(tmp_path: Path, background: FileWorker, qtbot: QtBot) -> None:
    parent = QObject()
    watch = RunMonitor(parent, background)
    begin(tmp_path)
    occupy(tmp_path, os.getpid())
    watch.follow(tmp_path)
    watch.stop()
    with qtbot.assertNotEmitted(watch.changed, wait=800):
        pass
    assert watch.run is None
