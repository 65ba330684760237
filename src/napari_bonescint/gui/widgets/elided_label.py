"""A label that shortens its text where there is no room for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QPainter

from napari_bonescint.gui.widgets.plain_label import PlainLabel

if TYPE_CHECKING:
    from qtpy.QtGui import QPaintEvent

_LEAST_WIDTH = 16


class ElidedLabel(PlainLabel):
    """A line of plain text that is as wide as the text if possible, and ends in dots otherwise.

    `mode` says where the dots are.
    """

    def __init__(self, text: str = "", mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight) -> None:
        super().__init__(text)
        self._mode = mode

    def shown_text(self) -> str:
        """The text as it is drawn."""
        return str(self.fontMetrics().elidedText(self.text(), self._mode, self.contentsRect().width()))

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """The smallest size."""
        return QSize(_LEAST_WIDTH, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, ARG002
        """Draw the text."""
        self.style().drawItemText(
            QPainter(self),
            self.contentsRect(),
            int(self.alignment()),
            self.palette(),
            self.isEnabled(),
            self.shown_text(),
            self.foregroundRole(),
        )
