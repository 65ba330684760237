"""Names the bone under the mouse on the canvas."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari.components import ViewerModel


class BoneCaption:
    """A text at the lower edge of the canvas; it leaves a text of the user or of another plugin alone."""

    def __init__(self, viewer: ViewerModel) -> None:
        self._overlay = viewer.canvas.overlays.text
        self._own = ""

    def show(self, text: str) -> None:
        """Show a text; an empty one removes the caption."""
        overlay = self._overlay
        if overlay.text != self._own or text == self._own:
            return
        self._own = overlay.text = text
        if overlay.visible is not bool(text):
            overlay.position = "bottom_center"
            overlay.visible = bool(text)
