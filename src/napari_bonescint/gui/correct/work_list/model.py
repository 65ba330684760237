"""The Qt model of the work list."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt

from napari_bonescint.gui.correct.work_list.thumbnails import Thumbnails
from napari_bonescint.gui.correct.work_queue import WorkQueue

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from qtpy.QtCore import QObject

    from napari_bonescint.corrections.work_list.queue import WorkItem
    from napari_bonescint.scan import Scan

ITEM = int(Qt.ItemDataRole.UserRole) + 1
"""Role of the `WorkItem` of a row."""


class WorkListModel(QAbstractListModel):
    """The items of a work queue with their thumbnails."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.queue = WorkQueue(())
        self._read: Callable[[WorkItem], Scan] | None = None
        self._thumbnails = Thumbnails(self)
        self._thumbnails.ready.connect(self._on_picture)

    def show(self, queue: WorkQueue, read: Callable[[WorkItem], Scan]) -> None:
        """Show another queue and its changes; `read` reads the scan of an item, in another thread."""
        self.beginResetModel()
        self._thumbnails.clear()
        self.queue.changed.disconnect()
        self.queue, self._read = queue, read
        queue.changed.connect(self._on_item)
        self.endResetModel()

    def close(self) -> None:
        """End the thread for thumbnails."""
        self._thumbnails.close()

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex | None = None) -> int:  # noqa: N802
        """The number of items."""
        return 0 if parent is not None and parent.isValid() else len(self.queue.items)

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        """Item, text, tooltip or thumbnail of a row."""
        if not index.isValid():
            return None
        item = self.queue.items[index.row()]
        if role == ITEM:
            return item
        if role == Qt.ItemDataRole.DisplayRole:
            return f"{item.name}, {item.state}"
        if role == Qt.ItemDataRole.ToolTipRole:
            return _tip(item)
        if role == Qt.ItemDataRole.DecorationRole and self._read is not None:
            read = self._read
            return self._thumbnails.get(item.identity, lambda: read(item))
        return None

    def _on_item(self, row: int) -> None:
        self.dataChanged.emit(self.index(row), self.index(row))

    def _on_picture(self, identity: Hashable) -> None:
        row = self.queue.row_of(identity)
        if row >= 0:
            self.dataChanged.emit(self.index(row), self.index(row), [int(Qt.ItemDataRole.DecorationRole)])


def _tip(item: WorkItem) -> str:
    """The name and the numbers of a row, with their meaning."""
    lines = [f"<b>{escape(item.name)}</b>"]
    if item.key and item.key != item.name:
        lines.append(f"Case {item.key} of the label store")
    if item.case is not None and item.case.predicted_dice is not None and item.case.uncertainty is not None:
        lines.append(f"Dice {item.case.predicted_dice:.2f}, as the model expects of its mask; 1 is best")
        lines.append(f"Uncertainty of the model {item.case.uncertainty:.2f}; 0 is none")
    return "<br>".join(lines)
