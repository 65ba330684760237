from __future__ import annotations

from typing import TYPE_CHECKING

from napari._app_model import get_app_model
from napari.layers import Image

from napari_bonescint.gui.layers.labels import all_labels_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari import Viewer
    from pytestqt.qtbot import QtBot

    from napari_bonescint.gui.segment.panel import SegmentWidget

COMMAND = "napari-bonescint.segment_skeleton"
PATIENCE_MS = 120_000


def run_the_command(panel: SegmentWidget, qtbot: QtBot) -> None:
    get_app_model().commands.execute_command(COMMAND).result()
    qtbot.waitUntil(lambda: not panel.is_running, timeout=PATIENCE_MS)


def test_the_command_is_in_the_menu_layers_segment_and_in_the_palette(viewer: Viewer) -> None:
    app = get_app_model()
    in_menu = {
        getattr(item, "command", None) and item.command.id for item in app.menus.get_menu("napari/layers/segment")
    }
    assert COMMAND in in_menu
    # The palette shows every registered command.
    assert app.commands[COMMAND].title == "Segment this scan (Bone scintigraphy)"


def test_the_command_segments_both_views_of_a_freshly_opened_scan(
    viewer: Viewer, write_nm: Callable[..., Path], open_panel: Callable[..., SegmentWidget], qtbot: QtBot
) -> None:
    panel = open_panel()
    viewer.open(write_nm("other.dcm"), plugin="napari-bonescint")
    others = [layer for layer in viewer.layers if isinstance(layer, Image)]
    viewer.open(write_nm(), plugin="napari-bonescint")
    images = [layer for layer in viewer.layers if isinstance(layer, Image) and layer not in others]
    # As napari leaves it after opening a file.
    assert viewer.layers.selection == {images[1]}
    run_the_command(panel, qtbot)
    assert [len(all_labels_of(viewer.layers, image)) for image in images] == [1, 1]
    assert not any(all_labels_of(viewer.layers, other) for other in others)
    # Now it is a result that is selected.
    labels = all_labels_of(viewer.layers, images[0])[0]
    labels.undo()
    viewer.layers.selection = {labels}
    run_the_command(panel, qtbot)
    assert labels.data.any()
    assert not any(all_labels_of(viewer.layers, other) for other in others)


def test_the_command_opens_the_panel_and_says_what_is_missing(
    viewer: Viewer, make_model: Callable[..., object], shown: Callable[[], list[str]]
) -> None:
    get_app_model().commands.execute_command(COMMAND).result()
    docks = list(viewer.window.dock_widgets)
    assert any("Segment skeleton" in name for name in docks)
    assert "Open a bone scan" in shown()[-1] or "model" in shown()[-1]
