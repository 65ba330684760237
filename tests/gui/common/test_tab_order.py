"""The Tab key visits every control of each panel, in the order in which one reads them, and leaves at the end."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from qtpy.QtCore import QPoint, QRect, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialog,
    QLineEdit,
    QScrollBar,
    QTabBar,
    QWidget,
)

from gui.archive.listed import ARCHIVE, open_with_studies
from gui.correct.correcting import open_case
from gui.correct.correcting_panel import open_first
from gui.measure.measuring_panel import wait_for_measures
from napari_bonescint.gui.common.panels import open_panel as show_panel
from napari_bonescint.gui.correct.folders.store_dialog import StoreDialog
from napari_bonescint.gui.export.export_dialog import open_export

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari import Viewer
    from pytestqt.qtbot import QtBot

    from napari_bonescint.corrections.store.label_store import LabelStore
    from napari_bonescint.gui.correct.panel import CorrectWidget
    from napari_bonescint.gui.measure.panel import MeasureWidget

CONTROLS = (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QTabBar,
)


def control_of(widget: QWidget, panel: QWidget) -> QWidget | None:
    """The outermost control that a widget is a part of."""
    found = None
    while widget is not None and widget is not panel:
        found = widget if isinstance(widget, CONTROLS) and not isinstance(widget, QScrollBar) else found
        widget = widget.parentWidget()
    return found


def usable(panel: QWidget) -> set[QWidget]:
    """All controls that a person could use now."""
    there = [widget for widget in panel.findChildren(QWidget) if widget.isVisible() and widget.isEnabled()]
    return {control for widget in there if (control := control_of(widget, panel)) is not None and control.isEnabled()}


def walk(panel: QWidget) -> list[QWidget]:
    """The controls in which one Tab key after the other puts the keyboard, until it leaves the panel."""
    visited: list[QWidget] = []
    while (focus := QApplication.focusWidget()) is not None and panel.isAncestorOf(focus):
        control = control_of(focus, panel)
        assert control is not None
        if control in visited:
            break
        visited.append(control)
        QTest.keyClick(focus, Qt.Key.Key_Tab)
    return visited


def place(control: QWidget, panel: QWidget) -> QRect:
    return QRect(control.mapTo(panel, QPoint()), control.size())


def assert_walked(panel: QWidget, qtbot: QtBot) -> None:
    if not isinstance(panel, QDialog):
        panel.window().resize(1366, 900)
    panel.window().activateWindow()
    qtbot.waitUntil(panel.isActiveWindow)
    # Before the Tab key scrolls.
    places = {control: place(control, panel) for control in usable(panel)}
    highest = min(where.center().y() for where in places.values())
    line = [control for control, where in places.items() if where.top() <= highest]
    min(line, key=lambda control: places[control].left()).setFocus(Qt.FocusReason.TabFocusReason)
    visited = walk(panel)
    # A list that the Tab key reaches may make a button usable.
    missed, extra = places.keys() - set(visited), set(visited) - places.keys() - usable(panel)
    assert not missed | extra, [getattr(control, "text", control.objectName)() for control in missed | extra]
    for before, after in pairwise(control for control in visited if control in places):
        above, below = places[before], places[after]
        assert below.top() >= above.center().y() or below.left() >= above.center().x(), (before, after)


def test_the_panel_that_segments(viewer: Viewer, images, open_panel: Callable[..., QWidget], qtbot: QtBot) -> None:
    assert_walked(open_panel(), qtbot)
    dialog = open_export(viewer)
    assert dialog is not None
    assert_walked(dialog, qtbot)
    dialog.reject()


def test_the_panel_that_corrects(
    store: LabelStore, open_correcting: Callable[..., CorrectWidget], qtbot: QtBot
) -> None:
    panel = open_correcting()
    open_first(qtbot, panel, store)
    for page in range(panel.tabs.count()):
        panel.tabs.setCurrentIndex(page)
        assert_walked(panel, qtbot)
    places = StoreDialog(panel, store.folder, "A label store is a folder of its own.")
    places.show()
    for dialog in (panel.show_revisions(), places):
        assert dialog is not None
        assert_walked(dialog, qtbot)
        dialog.close()


def test_the_panel_that_measures(viewer: Viewer, qtbot: QtBot) -> None:
    open_case(viewer)
    panel: MeasureWidget = show_panel(viewer, "Measure")
    qtbot.waitUntil(panel.button.isEnabled)
    panel.measure()
    wait_for_measures(panel, qtbot)
    for page in range(panel.tabs.count()):
        panel.tabs.setCurrentIndex(page)
        assert_walked(panel, qtbot)
    dialog = panel.report()
    assert dialog is not None
    assert_walked(dialog, qtbot)
    dialog.reject()


def test_the_panel_of_archives(viewer: Viewer, qtbot: QtBot) -> None:
    open_case(viewer)
    panel = open_with_studies(viewer, qtbot)
    assert_walked(panel, qtbot)
    for open_it in (panel.send, panel.set_up):
        dialog = open_it()
        qtbot.waitUntil(lambda dialog=dialog: dialog.isVisible() and dialog.archive.value == ARCHIVE)
        assert_walked(dialog, qtbot)
        dialog.close()


@pytest.mark.parametrize("page", range(4))
def test_the_panel_that_retrains(viewer: Viewer, page: int, qtbot: QtBot) -> None:
    _, panel = viewer.window.add_plugin_dock_widget("napari-bonescint", "Retrain")
    panel.tabs.setCurrentIndex(page)
    assert_walked(panel, qtbot)
