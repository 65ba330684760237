from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from napari._app_model import get_app_model
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDockWidget

from napari_bonescint.gui.archive.panel import ArchiveWidget
from napari_bonescint.gui.common.panels import open_panel
from napari_bonescint.gui.correct.panel import CorrectWidget
from napari_bonescint.gui.retrain.panel import RetrainWidget
from napari_bonescint.gui.segment.panel import SegmentWidget

if TYPE_CHECKING:
    from napari import Viewer
    from pytestqt.qtbot import QtBot

    from napari_bonescint.gui.common.dock_panel import DockPanel

PANELS = {
    "Segment skeleton": (SegmentWidget, "make_segment_widget"),
    "Correct masks": (CorrectWidget, "make_correct_widget"),
    "Retrain": (RetrainWidget, "make_retrain_widget"),
    "Archive": (ArchiveWidget, "make_archive_widget"),
}


def choose(command: str) -> None:
    """Choose an entry of a menu or of the palette."""
    get_app_model().commands.execute_command(f"napari-bonescint.{command}").result()


def docks_of(viewer: Viewer, kind: type[DockPanel]) -> list[QDockWidget]:
    return [dock for dock in viewer.window._qt_window.findChildren(QDockWidget) if isinstance(dock.widget(), kind)]


@pytest.mark.parametrize("title", PANELS)
def test_there_is_one_panel_under_one_name_wherever_it_is_opened_from(viewer: Viewer, title: str, qtbot: QtBot) -> None:
    kind, command = PANELS[title]
    panel = open_panel(viewer, title)
    assert isinstance(panel, kind)
    (dock,) = docks_of(viewer, kind)
    qtbot.waitUntil(dock.isVisible)
    assert (
        dock.windowTitle() == dock.title.title.text() == get_app_model().commands[f"napari-bonescint.{command}"].title
    )
    choose(command)  # as napari does, the menu hides a panel that is in front
    assert dock.isHidden()
    choose(command)
    assert dock.isVisible()
    assert open_panel(viewer, title) is panel
    # Behind another tab, the menu and our buttons bring it to the front.
    viewer.window._qt_window.tabifyDockWidget(dock, viewer.window._qt_viewer.dockLayerList)
    for bring in (lambda: choose(command), lambda: open_panel(viewer, title)):
        viewer.window._qt_viewer.dockLayerList.show()
        viewer.window._qt_viewer.dockLayerList.raise_()
        qtbot.waitUntil(lambda: panel.visibleRegion().isEmpty())
        bring()
        qtbot.waitUntil(lambda: not panel.visibleRegion().isEmpty())
    # A second one, from napari's console, gives way to the first.
    viewer.window.add_plugin_dock_widget("napari-bonescint", title)
    qtbot.waitUntil(lambda: docks_of(viewer, kind) == [dock])
    qtbot.mouseClick(dock.title.close_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not docks_of(viewer, kind))
    choose(command)
    (again,) = docks_of(viewer, kind)
    assert again.widget() is not panel
    assert open_panel(viewer, title) is again.widget()


def test_panels_share_the_height_as_tabs_the_asked_for_one_in_front(viewer: Viewer, qtbot: QtBot) -> None:
    segmenting, correcting = (open_panel(viewer, title) for title in ("Segment skeleton", "Correct masks"))
    (dock,), (other,) = docks_of(viewer, SegmentWidget), docks_of(viewer, CorrectWidget)
    qtbot.waitUntil(lambda: viewer.window._qt_window.tabifiedDockWidgets(dock) == [other])
    qtbot.waitUntil(lambda: segmenting.visibleRegion().isEmpty() and not correcting.visibleRegion().isEmpty())
    open_panel(viewer, "Segment skeleton")
    qtbot.waitUntil(lambda: correcting.visibleRegion().isEmpty() and not segmenting.visibleRegion().isEmpty())


def test_panels_of_the_menus_are_tabs_too_and_leave_the_window_small(viewer: Viewer, qtbot: QtBot) -> None:
    window = viewer.window._qt_window
    window.resize(1366, 768)
    for kind, command in PANELS.values():
        choose(command)
        (dock,) = docks_of(viewer, kind)
        qtbot.waitUntil(lambda dock=dock: dock.widget()._is_settled and not dock.widget().visibleRegion().isEmpty())
    assert len(window.tabifiedDockWidgets(dock)) == len(PANELS) - 1
    assert (window.width(), window.height()) == (1366, 768)


def test_no_two_commands_have_one_name_and_none_explains_itself(viewer: Viewer) -> None:
    titles = [
        command.title
        for command in (get_app_model().commands[each] for each, _ in get_app_model().commands)
        if "Bone scintigraphy" in command.title
    ]
    assert sorted(set(titles)) == sorted(titles)
    assert not [title for title in titles if title.startswith("Open the panel")]
