from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDockWidget, QLabel, QMainWindow

from napari_bonescint.gui.common.main_window import main_window_of

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


def test_a_panel_belongs_to_its_window_even_if_its_dock_floats(qtbot: QtBot) -> None:
    window, dock, panel = QMainWindow(), QDockWidget(), QLabel("panel")
    qtbot.addWidget(window)
    assert main_window_of(panel) is None
    dock.setWidget(panel)

    window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock)
    assert main_window_of(panel) is window
    dock.setFloating(True)
    assert main_window_of(panel) is window
