"""The status bar speaks of the chosen tool, of none of napari's keys that do something else, and then as before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_bonescint.gui.correct.tools.registry import TOOLS
from napari_bonescint.gui.correct.tools.status_hint import StatusHint, hint

if TYPE_CHECKING:
    from napari import Viewer

ALL = {tool.name: tool for tools in TOOLS.values() for tool in tools}


def shown(viewer: Viewer) -> str:
    """What the status bar says at its right."""
    return str(viewer.window._qt_window.statusBar()._help.text())


def test_the_hint_stays_with_every_layer_and_mode_until_it_is_removed(viewer: Viewer) -> None:
    labels = viewer.add_labels(np.zeros((9, 9), np.uint8))
    image = viewer.add_image(np.zeros((9, 9)))
    viewer.layers.selection.active = labels
    labels.mode = "paint"
    naparis = shown(viewer)
    assert "use <1> for activate the label eraser" in naparis
    status = StatusHint(viewer)
    status.show("draw around a bone")
    labels.mode = "erase"
    viewer.window._qt_window.set_status_and_tooltip(("", ""))  # as with each move of the mouse
    assert shown(viewer) == "draw around a bone"
    viewer.layers.selection.active = image
    image.mode = "transform"
    assert shown(viewer) == "draw around a bone"
    status.show("click a piece")
    assert (shown(viewer), image.help) == ("click a piece", "click a piece")
    status.remove()
    assert shown(viewer) == "use <1> for move camera"
    viewer.layers.selection.active = labels
    labels.mode = "paint"
    assert shown(viewer) == naparis


@pytest.mark.parametrize("tool", ALL.values(), ids=lambda tool: tool.name)
def test_a_hint_names_the_tool_and_no_key_that_does_nothing(tool) -> None:
    text = hint(tool)
    assert tool is ALL["Move"] or text.startswith(f"<{tool.shown_key}> {tool.name}: ")
    assert ("<Esc>" in text) == (tool.gesture.value in ("paint", "line", "loop", "box"))
