from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QDockWidget, QMainWindow, QWidget

from napari_bonescint.gui.common.close_guard import CloseGuard

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


def window_with(panel: QWidget, qtbot: QtBot) -> QMainWindow:
    window = QMainWindow()
    qtbot.addWidget(window)
    dock = QDockWidget(window)
    dock.setWidget(panel)
    window.setCentralWidget(dock)
    window.show()
    return window


def test_a_window_closes_only_when_it_may_and_that_is_told(qtbot: QtBot) -> None:
    panel, answers, told = QWidget(), [False, True], []
    window = window_with(panel, qtbot)
    CloseGuard(panel, lambda: answers.pop(0), lambda: told.append("closed"))
    window.close()
    assert window.isVisible()
    assert told == []
    window.close()
    assert not window.isVisible()
    assert told == ["closed"]


def test_hiding_a_window_is_not_closing_it(qtbot: QtBot) -> None:
    panel, told = QWidget(), []
    window = window_with(panel, qtbot)
    closing = CloseGuard(panel, lambda: True, lambda: told.append("closed"))
    window.hide()
    window.show()
    closing.stop()
    window.close()
    assert told == []
