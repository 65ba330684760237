"""Draw a row of the work list: picture, name, state, annotator, time, and the model's expected quality."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from qtpy.QtGui import QColor, QFont, QImage, QPainter, QPen
from qtpy.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from napari_bonescint.gui.correct.work_list.model import ITEM
from napari_bonescint.text.formatting import to_the_minute

if TYPE_CHECKING:
    from napari_bonescint.corrections.store.index import CaseSummary
    from napari_bonescint.corrections.work_list.queue import WorkItem

ROW_HEIGHT = 34
_MARGIN = 2
_PICTURE_WIDTH = 34
_CHIP_WIDTH, _CHIP_HEIGHT = 64, 14
# White letters on them have a contrast of at least 4.5:1.
_STATE_COLOURS = {"new": "#5f6771", "predicted": "#8a5a00", "corrected": "#1f5fd0", "reviewed": "#1a7f37"}
_MARK = "#00a3ff"
_BAR_WIDTH = 3
_SMALLER = 0.85


class WorkListDelegate(QStyledItemDelegate):
    """Draws rows of a `WorkListModel`; `open_row`, the row of the open case (-1 for none), has a bar on the left."""

    open_row = -1

    def sizeHint(  # noqa: N802
        self,
        _option: QStyleOptionViewItem,
        _index: QModelIndex | QPersistentModelIndex,
    ) -> QSize:
        """The size of all rows, equal so that Qt needs it only once."""
        return QSize(240, ROW_HEIGHT)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Draw one row."""
        item: WorkItem = index.data(ITEM)
        picture: QImage | None = index.data(int(Qt.ItemDataRole.DecorationRole))
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(option.rect, option.palette.highlight())
        if index.row() == self.open_row:
            painter.fillRect(QRect(option.rect.topLeft(), QSize(_BAR_WIDTH, option.rect.height())), QColor(_MARK))
        inside = option.rect.adjusted(_BAR_WIDTH + _MARGIN, _MARGIN, -_MARGIN, -_MARGIN)
        _draw_picture(painter, inside, picture)
        words = inside.adjusted(_PICTURE_WIDTH + 2 * _MARGIN, 0, 0, 0)
        line = QRect(words.topLeft(), QSize(words.width(), words.height() // 2))
        pen = QPen(option.palette.text().color())
        _draw_state(painter, line, item.state, option.font)
        painter.setPen(pen)
        middle, right = Qt.TextElideMode.ElideMiddle, Qt.TextElideMode.ElideRight
        _draw_line(painter, line.adjusted(0, 0, -_CHIP_WIDTH - _MARGIN, 0), item.name, option.font, middle, bold=True)
        line.translate(0, line.height())
        _draw_line(painter, line, " · ".join(about(item.case)), _smaller(option.font), right)
        painter.restore()


def about(case: CaseSummary | None) -> list[str]:
    """Phrases about a case for its row: who saved it last and when, and the expected quality."""
    return list(filter(None, (who_and_when(case), quality(case))))


def who_and_when(case: CaseSummary | None) -> str:
    """Annotator and time of the last revision; empty if there is none."""
    if case is None or not case.annotator:
        return ""
    return f"{case.annotator} · {shown_time(case.when)}"


def quality(case: CaseSummary | None) -> str:
    """Expected Dice and uncertainty of the model's mask; empty if there is none."""
    if case is None or case.predicted_dice is None or case.uncertainty is None:
        return ""
    return f"Dice {case.predicted_dice:.2f} · uncertainty {case.uncertainty:.2f}"


def shown_time(when: str | None) -> str:
    """A time of the store (UTC) in short form, to the minute; empty for None."""
    return to_the_minute(when) if when else ""


def _smaller(font: QFont) -> QFont:
    small = QFont(font)
    if font.pointSizeF() > 0:
        small.setPointSizeF(font.pointSizeF() * _SMALLER)
    else:
        small.setPixelSize(round(font.pixelSize() * _SMALLER))
    return small


def _draw_picture(painter: QPainter, inside: QRect, picture: QImage | None) -> None:
    frame = QRect(inside.topLeft(), QSize(_PICTURE_WIDTH, inside.height()))
    if picture is None:
        painter.fillRect(frame, QColor("#33808080"))
        return
    size = picture.size().scaled(frame.size(), Qt.AspectRatioMode.KeepAspectRatio)
    place = QRect(frame.topLeft(), size)
    place.moveCenter(frame.center())
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.drawImage(place, picture)


def _draw_state(painter: QPainter, line: QRect, state: str, font: QFont) -> None:
    chip = QRect(line.right() - _CHIP_WIDTH, line.top(), _CHIP_WIDTH, _CHIP_HEIGHT)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(_STATE_COLOURS[state]))
    painter.drawRoundedRect(chip, 4, 4)
    painter.setFont(_smaller(font))
    painter.setPen(QColor("white"))
    painter.drawText(chip, int(Qt.AlignmentFlag.AlignCenter), state)


def _draw_line(
    painter: QPainter, line: QRect, text: str, font: QFont, elided: Qt.TextElideMode, *, bold: bool = False
) -> None:
    shown = QFont(font)
    shown.setBold(bold)
    painter.setFont(shown)
    short = painter.fontMetrics().elidedText(text, elided, line.width())
    painter.drawText(line, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), short)
