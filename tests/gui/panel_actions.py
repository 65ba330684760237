"""What a user does with the panel, and sees in the layer list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari.layers import Labels
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QApplication, QMessageBox

if TYPE_CHECKING:
    from napari import Viewer
    from pytestqt.qtbot import QtBot

    from napari_bonescint.gui.segment.panel import SegmentWidget

PATIENCE_MS = 120_000


def click(qtbot: QtBot, panel: SegmentWidget) -> None:
    qtbot.mouseClick(panel.button, Qt.MouseButton.LeftButton)


def click_and_wait(qtbot: QtBot, panel: SegmentWidget) -> None:
    click(qtbot, panel)
    qtbot.waitUntil(lambda: not panel.is_running, timeout=PATIENCE_MS)


def labels_in(viewer: Viewer) -> list[Labels]:
    return [layer for layer in viewer.layers if isinstance(layer, Labels)]


def answer(choice: str) -> None:
    """Press a button of the question, as soon as it is there."""

    def press() -> None:
        box = QApplication.activeModalWidget()
        if not isinstance(box, QMessageBox):
            QTimer.singleShot(20, press)
            return
        next(button for button in box.buttons() if choice in button.text().replace("&", "")).click()

    QTimer.singleShot(0, press)
