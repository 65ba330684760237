"""A field whose hint can be read: Qt shows the hint of an empty field half transparent."""

from __future__ import annotations

from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QLineEdit

from napari_bonescint.gui.widgets.text_colours import is_dark

_ON_DARK, _ON_LIGHT = "#c9cdd3", "#3f444b"


class HintedEdit(QLineEdit):
    """A field for a line of text, with a hint while it is empty; the hint's colour follows the theme."""

    def __init__(self, text: str = "", *, hint: str) -> None:
        super().__init__(text)
        self.setPlaceholderText(hint)
        self._colour()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Follow the theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self._colour()

    def _colour(self) -> None:
        style = f"QLineEdit {{ placeholder-text-color: {_ON_DARK if is_dark() else _ON_LIGHT}; }}"
        # Setting a style sheet is a change of style, too.
        if self.styleSheet() != style:
            self.setStyleSheet(style)
