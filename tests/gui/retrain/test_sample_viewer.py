from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt

from napari_bonescint.gui.retrain.sample_viewer import SampleViewer
from training.runs.run_folders import begin, check

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from napari_bonescint.gui.common.file_worker import FileWorker


def test_the_last_sample_is_shown_unless_the_user_looks_at_an_earlier_one(
    tmp_path: Path, background: FileWorker, qtbot: QtBot
) -> None:
    log = begin(tmp_path)
    samples = tuple((step, check(log, tmp_path, step, 0.8)) for step in (10, 20, 30))
    viewer = SampleViewer(background)
    qtbot.addWidget(viewer)
    viewer.show()
    viewer.show_samples(samples[:2])
    qtbot.waitUntil(viewer.picture.isVisible)
    assert viewer.caption.text() == "Held-out scans at step 20"
    viewer.show_samples(samples)
    assert viewer.caption.text() == "Held-out scans at step 30"
    qtbot.keyClick(viewer.slider, Qt.Key.Key_Left)
    assert viewer.caption.text() == "Held-out scans at step 20"
    viewer.show_samples((*samples, samples[-1]))
    assert viewer.caption.text() == "Held-out scans at step 20"


def test_another_training_starts_without_a_picture(tmp_path: Path, background: FileWorker, qtbot: QtBot) -> None:
    viewer = SampleViewer(background)
    qtbot.addWidget(viewer)
    viewer.show()
    viewer.show_samples(((10, check(begin(tmp_path), tmp_path, 10, 0.8)),))
    qtbot.waitUntil(viewer.picture.isVisible)
    viewer.show_samples(())
    assert not viewer.picture.isVisible()
    assert "first check" in viewer.caption.text()


def test_a_missing_picture_is_one_sentence(tmp_path: Path, background: FileWorker, qtbot: QtBot) -> None:
    viewer = SampleViewer(background)
    qtbot.addWidget(viewer)
    viewer.show_samples(((10, tmp_path / "gone.png"),))
    qtbot.waitUntil(lambda: "gone.png" in viewer.caption.text())
