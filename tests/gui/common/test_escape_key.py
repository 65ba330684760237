from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QWidget

from napari_bonescint.gui.common.escape_key import EscapeKey

if TYPE_CHECKING:
    from napari import Viewer
    from pytestqt.qtbot import QtBot


def test_each_press_cancels_one_panel_also_behind_a_tab_and_none_that_is_idle(viewer: Viewer, qtbot: QtBot) -> None:
    window = viewer.window._qt_window
    panels = {name: QWidget() for name in ("in front", "behind", "floating")}
    docks = {name: viewer.window.add_dock_widget(panel, name=name) for name, panel in panels.items()}
    window.tabifyDockWidget(docks["behind"], docks["in front"])
    docks["in front"].raise_()
    docks["floating"].setFloating(True)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    qtbot.waitUntil(lambda: panels["behind"].visibleRegion().isEmpty())
    keys: dict[str, EscapeKey] = {}
    cancelled: list[str] = []

    def cancel(name: str) -> None:
        cancelled.append(name)
        keys[name].listen(False)

    for name, panel in panels.items():
        keys[name] = EscapeKey(panel, lambda name=name: cancel(name))
        keys[name].listen(True)
        keys[name].listen(True)
    canvas = viewer.window._qt_viewer.canvas.native
    canvas.setFocus()
    for presses in (1, 2, 3, 3):
        QTest.keyClick(canvas, Qt.Key.Key_Escape)
        assert len(cancelled) == presses
    assert set(cancelled) == set(panels)
    keys["behind"].listen(True)
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    assert cancelled[3:] == ["behind"]
