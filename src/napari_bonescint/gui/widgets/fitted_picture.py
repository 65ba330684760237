"""A picture that is as large as its place allows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QPoint, QRect, QSize, Qt
from qtpy.QtGui import QPainter, QPalette, QPen, QPixmap
from qtpy.QtWidgets import QSizePolicy, QWidget

if TYPE_CHECKING:
    from qtpy.QtGui import QPaintEvent

_USUAL = QSize(320, 560)
_SMALLEST = QSize(140, 160)


class FittedPicture(QWidget):
    """Shows a whole picture in its proportions, at any size of the widget."""

    def __init__(self, pixmap: QPixmap | None = None) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._pixmap = QPixmap() if pixmap is None else pixmap

    def pixmap(self) -> QPixmap:
        """The picture in its own size."""
        return self._pixmap

    def set_pixmap(self, pixmap: QPixmap) -> None:
        """Show another picture."""
        self._pixmap = pixmap
        self.update()

    def place(self) -> QRect:
        """Where the picture is drawn."""
        return _place(self, self._pixmap)

    def sizeHint(self) -> QSize:  # noqa: N802
        """The size for the two views of a whole body."""
        return _USUAL

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """The smallest size at which bones can be told."""
        return _SMALLEST

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, ARG002
        """Draw the picture."""
        draw_fitted(self, self._pixmap)


def draw_fitted(widget: QWidget, pixmap: QPixmap, *, framed: bool = False) -> None:
    """Draw a whole picture in the middle of a widget, with a frame if it has the keyboard focus."""
    painter = QPainter(widget)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    place = _place(widget, pixmap)
    painter.drawPixmap(place, pixmap)
    if framed:
        painter.setPen(QPen(widget.palette().color(QPalette.ColorRole.Highlight), 2))
        painter.drawRect(place.adjusted(1, 1, -1, -1))


def _place(widget: QWidget, pixmap: QPixmap) -> QRect:
    if pixmap.isNull():
        return QRect()
    place = QRect(QPoint(), pixmap.size().scaled(widget.size(), Qt.AspectRatioMode.KeepAspectRatio))
    place.moveCenter(widget.rect().center())
    return place
