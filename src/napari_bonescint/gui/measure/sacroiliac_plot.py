"""The profile of counts across the sacroiliac joints, with the measured regions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QPainter, QPen, QPolygonF
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_bonescint.gui.widgets.line_plot import plot_painter
from napari_bonescint.text.axis_ticks import round_ticks

if TYPE_CHECKING:
    from qtpy.QtGui import QMouseEvent, QPaintEvent

    from napari_bonescint.measurement.sacroiliac import Band, RelativeProfile

_TITLE = "Sacroiliac joints, posterior: counts over the sacrum's"
_HEIGHT = 150
_LEFT, _TOP, _RIGHT, _BOTTOM = 34, 36, 8, 6
_TICKS = 4
_COLOURS = {"left joint": "#e8963a", "sacrum": "#a06cc8", "right joint": "#e8963a"}


class SacroiliacPlot(QWidget):
    """A line across the image; each measured region is a band, with a line at its mean."""

    clicked = Signal()
    """Emitted when the plot is clicked, so that the regions are shown on the view."""

    def __init__(self) -> None:
        super().__init__()
        self._profile: RelativeProfile | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(_TITLE)
        self.setToolTip("A click outlines the joints and the sacrum in the posterior view.")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setVisible(False)

    @property
    def texts(self) -> list[str]:
        """The regions with their ratios, as they stand above the bands."""
        return [] if self._profile is None else [_text(band) for band in self._profile.bands]

    def show_profile(self, profile: RelativeProfile | None) -> None:
        """Show a profile; None hides the plot."""
        self._profile = profile
        self.setVisible(profile is not None)
        # For screen readers.
        self.setAccessibleDescription(", ".join(self.texts))
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802
        """The width of a narrow dock."""
        return QSize(260, _HEIGHT)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """The smallest width, and the fixed height."""
        return QSize(200, _HEIGHT)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Ask for the regions on the view."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.clicked.emit()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, ARG002
        """Draw the plot."""
        if self._profile is None:
            return
        painter, text, faint = plot_painter(self)
        title = painter.fontMetrics().elidedText(_TITLE, Qt.TextElideMode.ElideRight, self.width() - 10)
        painter.setPen(text)
        painter.drawText(QPointF(5, 13), title)
        self._draw(painter, self._profile, text, faint)

    def _draw(self, painter: QPainter, profile: RelativeProfile, text: QColor, faint: QColor) -> None:
        plot = QRectF(_LEFT, _TOP, self.width() - _LEFT - _RIGHT, self.height() - _TOP - _BOTTOM)
        values = [value for _, value in profile.points] + [band.ratio for band in profile.bands]
        low, high = min(0.0, *values), 1.1 * max(values)
        first, last = profile.points[0][0], profile.points[-1][0]

        def at(position: float, value: float) -> QPointF:
            across, up = (position - first) / (last - first), (value - low) / (high - low)
            return QPointF(plot.left() + across * plot.width(), plot.bottom() - up * plot.height())

        for value in round_ticks(low, high, _TICKS):
            painter.setPen(faint)
            painter.drawLine(at(first, value), at(last, value))
            painter.setPen(text)
            box = QRectF(0, at(first, value).y() - 8, _LEFT - 5, 16)
            painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, f"{value:g}")
        for band in profile.bands:
            colour = QColor(_COLOURS[band.name])
            light = QColor(colour)
            light.setAlpha(50)
            painter.fillRect(QRectF(at(band.first, high), at(band.last, low)), light)
            painter.setPen(QPen(colour, 2))
            painter.drawLine(at(band.first, band.ratio), at(band.last, band.ratio))
            middle = at((band.first + band.last) / 2, high).x()
            painter.drawText(QRectF(middle - 60, _TOP - 18, 120, 16), Qt.AlignmentFlag.AlignCenter, _text(band))
        painter.setPen(faint)
        painter.drawRect(plot)
        painter.setPen(QPen(text, 1.5))
        painter.drawPolyline(QPolygonF([at(*point) for point in profile.points]))


def _text(band: Band) -> str:
    return f"{band.name} {band.ratio:.2f}"
