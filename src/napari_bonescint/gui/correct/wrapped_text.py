"""A column of a list in which long texts take several lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from qtpy.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem

if TYPE_CHECKING:
    from qtpy.QtWidgets import QTreeWidget

_MARGIN = 6
_HIGHEST = 10_000


class WrappedText(QStyledItemDelegate):
    """Makes the rows of a list as high as the texts of one column need; by itself, Qt cuts them off."""

    def __init__(self, view: QTreeWidget, column: int) -> None:
        super().__init__(view)
        self._view, self._column = view, column
        view.setWordWrap(True)
        view.setItemDelegateForColumn(column, self)
        view.header().setStretchLastSection(True)
        view.header().sectionResized.connect(self._on_resized)

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:  # noqa: N802
        """The size of the text in the present width of the column."""
        usual = super().sizeHint(option, index)
        width = self._view.columnWidth(self._column) - 2 * _MARGIN
        room = QRect(0, 0, max(width, 1), _HIGHEST)
        text = option.fontMetrics.boundingRect(room, int(Qt.TextFlag.TextWordWrap), str(index.data() or ""))
        return QSize(width, max(usual.height(), text.height() + _MARGIN))

    def _on_resized(self, column: int, _before: int, _now: int) -> None:
        if column == self._column:
            self._view.scheduleDelayedItemsLayout()
