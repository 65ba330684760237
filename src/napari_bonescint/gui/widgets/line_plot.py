"""A line plot, such as for the curves of a training.

Qt draws it, because a plotting library is slow for one line: pyqtgraph 0.14 took 0.5 s to import and then stopped the
window for 60 ms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QPainter, QPalette, QPen, QPolygonF
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_bonescint.text.axis_ticks import round_ticks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qtpy.QtGui import QMouseEvent, QPaintEvent

_HEIGHT = 110
_LEFT, _TOP, _RIGHT, _BOTTOM = 42, 18, 8, 16
_MARGIN, _POINT = 5, 3.0
_TICKS = 4


def plot_painter(plot: QWidget) -> tuple[QPainter, QColor, QColor]:
    """A painter with the font of plots, and the colours of text and of faint lines."""
    painter = QPainter(plot)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    font = painter.font()
    font.setPixelSize(11)
    painter.setFont(font)
    text = plot.palette().color(QPalette.ColorRole.WindowText)
    faint = QColor(text)
    faint.setAlpha(60)
    return painter, text, faint


class LinePlot(QWidget):
    """A title, two axes and a line over the steps of a training, or over something else.

    Parameters
    ----------
    title : str
    colour : str
        Colour of the line, such as ``#4e9a06``.
    along : str
        What lies along the axis, such as ``days``. Then each point is marked, since there are few.
    """

    def __init__(self, title: str, colour: str, along: str = "") -> None:
        super().__init__()
        self._title, self._colour, self._along = title, QColor(colour), along
        self._points: tuple[tuple[float, float], ...] = ()
        self._steps, self._low, self._high = 0.0, 0.0, 1.0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMouseTracking(True)
        self.setAccessibleName(title)

    @property
    def title(self) -> str:
        """The title."""
        return self._title

    def set_title(self, title: str) -> None:
        """Change the title."""
        self._title = title
        self.setAccessibleName(title)
        self.update()

    def show_points(self, points: Sequence[tuple[float, float]], steps: float) -> None:
        """Draw points (step, value), in order of the steps, on an axis that ends at `steps`."""
        self._points, self._steps = tuple(points), steps
        self._low, self._high = _with_room([value for _, value in points])
        # For screen readers.
        self.setAccessibleDescription(self.latest)
        self.update()

    @property
    def latest(self) -> str:
        """The last value as text, which is also shown beside the title; empty if there is none."""
        return f"{self._points[-1][1]:.3g}" if self._points else ""

    def sizeHint(self) -> QSize:  # noqa: N802
        """The width of a narrow dock."""
        return QSize(200, _HEIGHT)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """The smallest width, and the fixed height."""
        return QSize(120, _HEIGHT)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Show the value under the mouse as a tooltip."""
        if self._points:
            x = event.position().x()
            step, value = min(self._points, key=lambda point: abs(self._place(point).x() - x))
            place = f"{step:.0f} {self._along}" if self._along else f"step {step:.0f}"
            self.setToolTip(f"{place}: {value:.4f}")

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, ARG002
        """Draw the plot."""
        painter, text, faint = plot_painter(self)
        painter.setPen(text)
        painter.drawText(QRectF(_MARGIN, 0, self.width(), _TOP), Qt.AlignmentFlag.AlignLeft, self._title)
        painter.drawText(QRectF(0, 0, self.width() - _RIGHT, _TOP), Qt.AlignmentFlag.AlignRight, self.latest)
        plot = self._plot()
        painter.setPen(faint)
        painter.drawRect(plot)
        if not self._points:
            painter.drawText(plot, Qt.AlignmentFlag.AlignCenter, "nothing yet")
            return
        self._draw_ticks(painter, plot, text, faint)
        painter.setPen(QPen(self._colour, 1.6))
        line = [self._place(point) for point in self._points]
        painter.drawPolyline(QPolygonF(line))
        painter.setBrush(self._colour)
        for point in line if self._along else line[-1:]:
            painter.drawEllipse(point, _POINT, _POINT)

    def _draw_ticks(self, painter: QPainter, plot: QRectF, text: QColor, faint: QColor) -> None:
        for value in round_ticks(self._low, self._high, _TICKS):
            y = self._place((0, value)).y()
            painter.setPen(faint)
            painter.drawLine(QPointF(plot.left(), y), QPointF(plot.right(), y))
            painter.setPen(text)
            box = QRectF(0, y - 8, _LEFT - 5, 16)
            painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, f"{value:g}")
        for step, side in ((0.0, Qt.AlignmentFlag.AlignLeft), (self._steps, Qt.AlignmentFlag.AlignRight)):
            text_there = f"{step:.0f} {self._along}".strip() if step else "0"
            painter.drawText(QRectF(plot.left(), plot.bottom() + 1, plot.width(), _BOTTOM), side, text_there)

    def _plot(self) -> QRectF:
        return QRectF(_LEFT, _TOP, self.width() - _LEFT - _RIGHT, self.height() - _TOP - _BOTTOM)

    def _place(self, point: tuple[float, float]) -> QPointF:
        plot = self._plot()
        step, value = point
        along = step / max(self._steps, step, 1)
        up = (value - self._low) / (self._high - self._low)
        return QPointF(plot.left() + along * plot.width(), plot.bottom() - up * plot.height())


def _with_room(values: Sequence[float]) -> tuple[float, float]:
    """Both ends of an axis for some values; the axis always has a length."""
    low, high = min(values, default=0), max(values, default=1)
    room = 0.08 * (high - low) or 0.05 * abs(high) or 0.5
    # An axis of values that cannot be negative does not go below 0.
    return (max(low - room, 0.0) if low >= 0 else low - room), high + room
