"""The hint in the status bar: about the chosen tool, not about keys of napari that do something else now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_bonescint.gui.correct.tools.registry import MOVE, Gesture

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

    from napari_bonescint.gui.correct.tools.registry import Tool


def hint(tool: Tool) -> str:
    """What to do with a tool, and the keys that work with it."""
    if tool is MOVE:
        return "choose a region by its number and a tool by its letter"
    keys = ["hold <Space> to move the image"] if tool.gesture is not Gesture.CLICK else []
    if tool.gesture in (Gesture.PAINT, Gesture.LINE, Gesture.LOOP, Gesture.BOX):
        keys.append("<Esc> cancels")
    return ", ".join([f"<{tool.shown_key}> {tool.name}: {tool.tip.split('.')[0]}", *keys])


class StatusHint:
    """Shows a hint for the active layer of a viewer, whichever it is, until it is removed.

    napari shows the attribute `help` of the active layer, and writes it whenever the layer's mode changes.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._text = ""
        self._layer: Layer | None = None
        self._before = ""  # what napari would show

    def show(self, text: str) -> None:
        """Show a hint from now on."""
        if not self._text:
            self._viewer.layers.selection.events.active.connect(self._on_active)
        self._text = text
        self._on_active()

    def remove(self) -> None:
        """Show napari's own hints again."""
        if self._text:
            self._viewer.layers.selection.events.active.disconnect(self._on_active)
        self._text = ""
        self._follow(None)

    def _on_active(self, _event: Any = None) -> None:
        self._follow(self._viewer.layers.selection.active)
        if self._layer is not None:
            self._layer.help = self._viewer.help = self._text

    def _follow(self, layer: Layer | None) -> None:
        if layer is self._layer:
            return
        if self._layer is not None:
            self._layer.events.help.disconnect(self._on_help)
            self._layer.help = self._before
        self._layer = layer
        if layer is not None:
            self._before = layer.help
            layer.events.help.connect(self._on_help)
        elif self._viewer.layers.selection.active is not None:
            self._viewer.help = self._viewer.layers.selection.active.help

    def _on_help(self, event: Any) -> None:
        # napari shows the layer's `help` after it has written it, so it shows this one.
        if event.help != self._text and self._layer is not None:
            self._before = event.help
            self._layer.help = self._text
