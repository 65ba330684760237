"""A table of records: sorted by a click on a title, copied with Ctrl+C, with ticks if wanted."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, cast

from qtpy.QtCore import (
    QAbstractTableModel,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    Qt,
    Signal,
)
from qtpy.QtGui import QGuiApplication, QKeySequence
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from napari_bonescint.gui.measure.rows import as_text

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from qtpy.QtGui import QKeyEvent

    from napari_bonescint.gui.measure.rows import Column

_SORTED_BY = Qt.ItemDataRole.UserRole
_RECORD = Qt.ItemDataRole.UserRole + 1
_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
_UNDO = QKeySequence.StandardKey.Undo
_ROW_HEIGHT, _ROOM, _WIDEST = 22, 12, 320
_NARROW = "QHeaderView::section { padding: 2px 3px; } QTableView::item { padding: 0 2px; }"

Index = QModelIndex | QPersistentModelIndex
_NO_PARENT = QModelIndex()


class RecordModel(QAbstractTableModel):
    """Records as rows.

    Parameters
    ----------
    columns : sequence of Column
    key : callable
        What a record is of: a record that takes the place of one with the same key changes its row.
    is_ticked : callable, optional
        Whether the first cell of a record has a tick; without it, there are no ticks.
    """

    ticked = Signal(object, bool)
    """Emitted with a record and the tick that the user gave it."""

    def __init__(
        self,
        columns: Sequence[Column],
        key: Callable[[Any], Hashable],
        is_ticked: Callable[[Any], bool] | None = None,
    ) -> None:
        super().__init__()
        self._columns, self._key, self._is_ticked = tuple(columns), key, is_ticked
        # Qt asks for them a thousand times while a table is made.
        self._headers: list[dict[int, object]] = [
            {
                Qt.ItemDataRole.DisplayRole: column.title,
                Qt.ItemDataRole.ToolTipRole: column.explanation,
                # Above its texts: the middle of a wide column is often out of sight.
                Qt.ItemDataRole.TextAlignmentRole: _LEFT if column.digits is None else _RIGHT,
            }
            for column in columns
        ]
        self.records: list[Any] = []

    def show_records(self, records: Sequence[Any]) -> None:
        """Show other records; rows of the same keys stay selected."""
        same = [self._key(each) for each in records] == [self._key(each) for each in self.records]
        if same:
            self.records = list(records)
            if records:
                self.dataChanged.emit(self.index(0, 0), self.index(len(records) - 1, len(self._columns) - 1))
            return
        self.beginResetModel()
        self.records = list(records)
        self.endResetModel()

    def rowCount(self, parent: Index = _NO_PARENT) -> int:  # noqa: N802
        """Number of records."""
        return 0 if parent.isValid() else len(self.records)

    def columnCount(self, parent: Index = _NO_PARENT) -> int:  # noqa: N802
        """Number of columns."""
        return 0 if parent.isValid() else len(self._columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: N802
        """Title and explanation of a column."""
        return self._headers[section].get(role) if orientation == Qt.Orientation.Horizontal else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Text, tick and the like of a cell."""
        record, column = self.records[index.row()], self._columns[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.text(record)
        if role == Qt.ItemDataRole.ToolTipRole and column.digits is None:
            return column.text(record)
        if role == Qt.ItemDataRole.TextAlignmentRole and column.digits is not None:
            return _RIGHT
        if role == Qt.ItemDataRole.CheckStateRole and self._is_ticked is not None and index.column() == 0:
            return Qt.CheckState.Checked if self._is_ticked(record) else Qt.CheckState.Unchecked
        if role == _SORTED_BY:
            value = column.value(record)
            if column.digits is None:
                return str(value or "")
            return float("-inf") if value is None or math.isnan(value) else float(value)
        if role == _RECORD:
            return record
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:  # noqa: N802
        """Take a tick."""
        if role != Qt.ItemDataRole.CheckStateRole:
            return False
        self.ticked.emit(self.records[index.row()], Qt.CheckState(value) == Qt.CheckState.Checked)
        return True

    def flags(self, index: Index) -> Qt.ItemFlag:
        """The first cell can be ticked."""
        ticks = self._is_ticked is not None and index.isValid() and index.column() == 0
        return super().flags(index) | (Qt.ItemFlag.ItemIsUserCheckable if ticks else Qt.ItemFlag.NoItemFlags)


class RecordTable(QTableView):
    """Shows a `RecordModel`."""

    picked = Signal(object)
    """Emitted with a record that was clicked, or reached by the Enter key."""
    ticked = Signal(object, bool)
    """Emitted with a record and the tick that the user gave it."""
    undone = Signal()
    """Emitted when the user presses Ctrl+Z."""
    moved = Signal()
    """Emitted when another row is the current one."""

    def __init__(
        self,
        name: str,
        columns: Sequence[Column],
        key: Callable[[Any], Hashable],
        is_ticked: Callable[[Any], bool] | None = None,
    ) -> None:
        super().__init__()
        self._columns = tuple(columns)
        self._records = RecordModel(columns, key, is_ticked)
        self._order = QSortFilterProxyModel(self)
        self._order.setSourceModel(self._records)
        self._order.setSortRole(_SORTED_BY)
        self.setModel(self._order)
        self.setAccessibleName(name)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setStyleSheet(_NARROW)
        self.setWordWrap(False)
        self.setShowGrid(False)
        # The Tab key goes on to the next control; the arrow keys visit the rows.
        self.setTabKeyNavigation(False)
        self.setSortingEnabled(True)
        self.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.horizontalHeader().setSortIndicatorClearable(True)
        self.horizontalHeader().setStretchLastSection(True)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        self.verticalHeader().setVisible(False)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(_ROW_HEIGHT)
        self._records.ticked.connect(self.ticked)
        self.clicked.connect(self._pick)
        self.activated.connect(self._pick)
        self.selectionModel().currentRowChanged.connect(lambda *_: self.moved.emit())

    @property
    def shown(self) -> list[Any]:
        """The records in the order in which they are shown."""
        return [self._order.index(row, 0).data(_RECORD) for row in range(self._order.rowCount())]

    def show_records(self, records: Sequence[Any]) -> None:
        """Show other records; those of the same keys stay selected, and the order stays."""
        was_empty = not self._records.records
        self._records.show_records(records)
        if was_empty and records:
            self._fit_columns()

    @property
    def current(self) -> Any:
        """The record of the current row; None if there is none."""
        return self.currentIndex().data(_RECORD)

    def copy(self) -> None:
        """Copy the selected rows, or all rows, to the clipboard."""
        rows = sorted({index.row() for index in self.selectionModel().selectedRows()}) or range(self._order.rowCount())
        clipboard = QGuiApplication.clipboard()
        if clipboard is not None:
            clipboard.setText(as_text(self._columns, [self._order.index(row, 0).data(_RECORD) for row in rows]))

    def event(self, event: QEvent) -> bool:
        """Keep Ctrl+Z from the menus and shortcuts of the window while the table has the focus."""
        if event.type() == QEvent.Type.ShortcutOverride and cast("QKeyEvent", event).matches(_UNDO):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Copy whole rows, where Qt would copy one cell; undo."""
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        elif event.matches(_UNDO):
            self.undone.emit()
        else:
            super().keyPressEvent(event)

    def _fit_columns(self) -> None:
        """Make each column as wide as its texts; Qt would leave room for a sign of order in each title."""
        for index, column in enumerate(self._columns):
            texts = [column.title, *(column.text(record) for record in self._records.records)]
            width = max(self.fontMetrics().horizontalAdvance(text) for text in texts) + _ROOM
            ticks = bool(self._records.flags(self._records.index(0, index)) & Qt.ItemFlag.ItemIsUserCheckable)
            self.setColumnWidth(index, min(width, _WIDEST) + (_ROW_HEIGHT if ticks else 0))

    def _pick(self, index: QModelIndex) -> None:
        self.picked.emit(index.data(_RECORD))
