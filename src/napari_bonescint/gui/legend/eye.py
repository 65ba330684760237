"""Pictures for the rows of the legend."""

from __future__ import annotations

from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QIcon, QPainter, QPainterPath, QPen, QPixmap

_SIZE = 32  # twice the size on a usual screen


def eye(colour: QColor, *, is_open: bool) -> QIcon:
    """An open eye for what is shown, and one that is crossed out for what is hidden."""
    pixmap, painter = _canvas()
    painter.setPen(QPen(colour, 2.4))
    lids = QPainterPath(QPointF(3, 16))
    lids.quadTo(QPointF(16, 3), QPointF(29, 16))
    lids.quadTo(QPointF(16, 29), QPointF(3, 16))
    painter.drawPath(lids)
    if is_open:
        painter.setBrush(colour)
        painter.drawEllipse(QPointF(16, 16), 4.5, 4.5)
    else:
        painter.drawLine(QPointF(6, 27), QPointF(26, 5))
    painter.end()
    return QIcon(pixmap)


def swatch(colour: str) -> QIcon:
    """A square of a colour."""
    pixmap, painter = _canvas()
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(colour))
    painter.drawRoundedRect(QRectF(5, 5, 22, 22), 4, 4)
    painter.end()
    return QIcon(pixmap)


def _canvas() -> tuple[QPixmap, QPainter]:
    pixmap = QPixmap(_SIZE, _SIZE)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    return pixmap, painter
