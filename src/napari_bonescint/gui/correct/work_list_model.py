"""The work list as Qt's views see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt

from napari_bonescint.corrections.queue import count_reviewed
from napari_bonescint.gui.correct.thumbnails import Thumbnails

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from qtpy.QtCore import QObject

    from napari_bonescint.corrections.queue import WorkItem
    from napari_bonescint.scan import Scan

ITEM = int(Qt.ItemDataRole.UserRole) + 1
"""Role of the `WorkItem` of a row."""


class WorkListModel(QAbstractListModel):
    """The items of a work list in their order, with their pictures.

    Parameters
    ----------
    parent : QObject
        The list.

    Attributes
    ----------
    reviewed : int
        How many of the items are reviewed.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._items: list[WorkItem] = []
        self._read: Callable[[WorkItem], Scan] | None = None
        self._thumbnails = Thumbnails(self)
        self._thumbnails.ready.connect(self._on_picture)
        self._rows: dict[Hashable, int] = {}
        self.reviewed = 0

    @property
    def items(self) -> Sequence[WorkItem]:
        """The items in the order of the list."""
        return self._items

    def show(self, items: Sequence[WorkItem], read: Callable[[WorkItem], Scan]) -> None:
        """Show other items.

        Parameters
        ----------
        items : sequence of WorkItem
            In the order of the list.
        read : callable
            Reads the scan of an item, in another thread.
        """
        self.beginResetModel()
        self._thumbnails.clear()
        self._items = list(items)
        self._rows = {item.identity: row for row, item in enumerate(self._items)}
        self._read = read
        self.reviewed = count_reviewed(self._items)
        self.endResetModel()

    def row_of(self, item: WorkItem) -> int | None:
        """In which row an item is; None if it is in none."""
        return self._rows.get(item.identity)

    def update(self, item: WorkItem) -> None:
        """Show what has become of an item; it keeps its row."""
        row = self.row_of(item)
        if row is not None:
            self.reviewed += count_reviewed([item]) - count_reviewed([self._items[row]])
            self._items[row] = item
            self.dataChanged.emit(self.index(row), self.index(row))

    def close(self) -> None:
        """End the thread that makes the pictures."""
        self._thumbnails.close()

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex | None = None) -> int:  # noqa: N802
        """How many items there are."""
        return 0 if parent is not None and parent.isValid() else len(self._items)

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        """What the list shows in a row."""
        if not index.isValid():
            return None
        item = self._items[index.row()]
        if role == ITEM:
            return item
        if role == Qt.ItemDataRole.DisplayRole:
            return f"{item.name}, {item.state}"
        if role == Qt.ItemDataRole.DecorationRole and self._read is not None:
            read = self._read
            return self._thumbnails.get(item.identity, lambda: read(item))
        return None

    def _on_picture(self, identity: Hashable) -> None:
        row = self._rows.get(identity)
        if row is not None:
            self.dataChanged.emit(self.index(row), self.index(row), [int(Qt.ItemDataRole.DecorationRole)])
