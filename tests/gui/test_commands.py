from __future__ import annotations

from typing import TYPE_CHECKING

from napari._app_model import get_app_model
from napari.layers import Image, Labels

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari import Viewer
    from pytestqt.qtbot import QtBot

    from napari_bonescint.gui.segment_widget import SegmentWidget

COMMAND = "napari-bonescint.segment_skeleton"
PATIENCE_MS = 120_000


def test_the_command_is_in_the_menu_layers_segment_and_in_the_palette(viewer: Viewer) -> None:
    app = get_app_model()
    in_menu = {
        getattr(item, "command", None) and item.command.id for item in app.menus.get_menu("napari/layers/segment")
    }
    assert COMMAND in in_menu
    # The palette shows every registered command.
    assert app.commands[COMMAND].title == "Segment skeleton (Bone scintigraphy)"


def test_the_command_segments_the_selected_layers(
    viewer: Viewer, write_scan: Callable[..., Path], open_panel: Callable[..., SegmentWidget], qtbot: QtBot
) -> None:
    viewer.open(write_scan(), plugin="napari-bonescint")
    panel = open_panel()
    posterior = [layer for layer in viewer.layers if isinstance(layer, Image)][1]
    viewer.layers.selection = {posterior}
    get_app_model().commands.execute_command(COMMAND).result()
    qtbot.waitUntil(lambda: not panel.is_running, timeout=PATIENCE_MS)
    assert [layer.name for layer in viewer.layers if isinstance(layer, Labels)] == ["posterior bones"]


def test_the_command_opens_the_panel_and_says_what_is_missing(
    viewer: Viewer, make_model: Callable[..., object], shown: Callable[[], list[str]]
) -> None:
    get_app_model().commands.execute_command(COMMAND).result()
    docks = list(viewer.window.dock_widgets)
    assert any("Segment skeleton" in name for name in docks)
    assert "Open a bone scan" in shown()[-1] or "model" in shown()[-1]
