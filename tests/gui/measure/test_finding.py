"""Hot spots are found without a model, too, and that is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt

from gui.correct.correcting import open_case
from gui.measure.measuring_panel import wait_for_measures
from napari_bonescint.gui.common.panels import open_panel

if TYPE_CHECKING:
    from pathlib import Path

    from napari import Viewer
    from pytestqt.qtbot import QtBot

    from napari_bonescint.gui.measure.panel import MeasureWidget


def test_a_model_that_cannot_be_used_is_told_and_thresholds_find_hot_spots(
    viewer: Viewer, models_folder: Path, qtbot: QtBot
) -> None:
    models_folder.mkdir()
    note = models_folder / "current-hot-spots"
    note.write_text("no model", encoding="utf-8")
    open_case(viewer)
    panel: MeasureWidget = open_panel(viewer, "Measure")
    qtbot.waitUntil(panel.button.isEnabled)
    qtbot.mouseClick(panel.button, Qt.MouseButton.LeftButton)
    wait_for_measures(panel, qtbot)
    assert "current-hot-spots: does not name a model" in panel.notice.text()
    assert "The hot spots were found by thresholds instead." in panel.notice.text()
    assert all(spot.probability is None for spot in panel.spots.table.shown)
    note.unlink()
    qtbot.mouseClick(panel.button, Qt.MouseButton.LeftButton)
    wait_for_measures(panel, qtbot)
    assert "thresholds" not in panel.notice.text()
