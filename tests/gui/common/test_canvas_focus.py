"""The mouse in a panel leaves the keyboard with the image, the Tab key does not, and nothing fires while one types."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QComboBox, QLineEdit, QListWidget, QPushButton, QSlider, QVBoxLayout, QWidget

from napari_bonescint.gui.common.canvas_focus import CanvasFocus, WindowKeys, is_typing

if TYPE_CHECKING:
    from napari import Viewer
    from pytestqt.qtbot import QtBot

NOTHING = Qt.KeyboardModifier.NoModifier


class Panel(QWidget):
    """One control of each kind."""

    def __init__(self) -> None:
        super().__init__()
        self.button, self.text, self.choice = QPushButton("Do"), QLineEdit(), QComboBox()
        self.slider, self.list = QSlider(Qt.Orientation.Horizontal), QListWidget()
        self.choice.addItems(["a", "b"])
        self.list.addItems(["a", "b"])
        layout = QVBoxLayout(self)
        for control in (self.button, self.text, self.choice, self.slider, self.list):
            layout.addWidget(control)


@pytest.fixture
def panel(viewer: Viewer, qtbot: QtBot) -> Panel:
    panel = Panel()
    viewer.window.add_dock_widget(panel, area="right")
    panel.window().activateWindow()
    qtbot.waitUntil(panel.isActiveWindow)
    return panel


def canvas_of(viewer: Viewer) -> QWidget:
    return viewer.window._qt_viewer.canvas.native


def test_a_click_on_any_control_gives_the_keyboard_to_the_image(viewer: Viewer, panel: Panel) -> None:
    CanvasFocus(panel).watch(panel)
    first = panel.list.visualItemRect(panel.list.item(0)).center()
    for control, place in (
        (panel.button, None),
        (panel.slider, None),
        (panel.list.viewport(), first),
    ):
        panel.text.setFocus()
        assert is_typing()
        QTest.mouseClick(
            control, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place or control.rect().center()
        )
        assert canvas_of(viewer).hasFocus(), control
    panel.text.setFocus()
    panel.choice.activated.emit(1)
    assert canvas_of(viewer).hasFocus()
    QTest.mouseClick(panel.text, Qt.MouseButton.LeftButton)
    assert panel.text.hasFocus()
    QTest.keyClick(panel.text, Qt.Key.Key_Return)
    assert canvas_of(viewer).hasFocus()


def test_a_control_that_the_tab_key_reached_keeps_the_keyboard(viewer: Viewer, panel: Panel) -> None:
    focus = CanvasFocus(panel)
    focus.watch(panel)
    panel.button.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(panel.button, Qt.Key.Key_Space)
    assert panel.button.hasFocus()
    QTest.keyClick(panel.button, Qt.Key.Key_Tab)
    assert panel.text.hasFocus()
    focus.take_back()
    assert panel.text.hasFocus()
    QTest.keyClick(panel.text, Qt.Key.Key_Tab)
    focus.take_back()
    assert canvas_of(viewer).hasFocus()


def test_keys_of_the_window_do_not_fire_while_one_types_unless_they_are_meant_to(viewer: Viewer, panel: Panel) -> None:
    done: list[str] = []
    keys = WindowKeys(panel.window())
    keys.bind("PgDown", lambda: done.append("next"), while_typing=False)
    keys.bind("Ctrl+Return", lambda: done.append("save"), while_typing=True)
    for widget in (panel.text, canvas_of(viewer), panel.list):
        widget.setFocus()
        QTest.keyClick(widget, Qt.Key.Key_PageDown)
        QTest.keyClick(widget, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
        assert QApplication.focusWidget() is widget
    assert done == ["save", "next", "save", "next", "save"]
    keys.release()
    QTest.keyClick(canvas_of(viewer), Qt.Key.Key_PageDown)
    assert len(done) == 5


def test_a_panel_without_a_window_changes_nothing(qtbot: QtBot) -> None:
    panel = Panel()
    qtbot.addWidget(panel)
    panel.show()
    CanvasFocus(panel).give()
