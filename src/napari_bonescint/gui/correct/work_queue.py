"""The work queue: the items of the work list with their states, and the open one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psygnal import Signal

from napari_bonescint.corrections.work_list.queue import count_reviewed

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from napari_bonescint.corrections.work_list.queue import WorkItem


class WorkQueue:
    """Items in a fixed order; if saved items moved, the next item would be unpredictable.

    Parameters
    ----------
    items : iterable of WorkItem
    place : int
        Row of the item that was open when the list was left; -1 if there is none.

    Attributes
    ----------
    items : list of WorkItem
        In the order of correction.
    reviewed : int
        Number of reviewed items.
    open_row : int
        Row of the open item; -1 if none is open.
    place : int
        Row of the item that is open or was open last; -1 if none was.
    """

    changed = Signal(int)
    """Emitted with the row of an item that has changed."""
    opened = Signal()
    """Emitted when another item is open."""

    def __init__(self, items: Iterable[WorkItem], place: int = -1) -> None:
        self.items = list(items)
        self.reviewed = count_reviewed(self.items)
        self.open_row = -1
        self.place = place
        self._rows = {item.identity: row for row, item in enumerate(self.items)}

    def row_of(self, identity: Hashable) -> int:
        """The row of an item; -1 if it is not in the queue."""
        return self._rows.get(identity, -1)

    def latest(self, item: WorkItem) -> WorkItem:
        """The present state of an item."""
        row = self.row_of(item.identity)
        return item if row < 0 else self.items[row]

    def update(self, item: WorkItem) -> None:
        """Replace an item by its new state; it keeps its row."""
        row = self.row_of(item.identity)
        if row >= 0:
            self.reviewed += count_reviewed([item]) - count_reviewed([self.items[row]])
            self.items[row] = item
            self.changed.emit(row)

    def open(self, item: WorkItem) -> None:
        """Make an item the open one, with its new state."""
        self.update(item)
        self.open_row = self.place = self.row_of(item.identity)
        self.opened.emit()

    def neighbour(self, step: int) -> WorkItem | None:
        """The item `step` rows after the open one; None beyond the ends.

        If none is open, it is the item that was open last, or the first.
        """
        row = self.open_row + step if self.open_row >= 0 else max(self.place, 0)
        return self.items[row] if 0 <= row < len(self.items) else None

    def next_to_do(self) -> WorkItem | None:
        """The next item after the open one that needs work, or the first in the list; None if no other does."""
        others = [*self.items[self.open_row + 1 :], *self.items[: max(self.open_row, 0)]]
        return next((item for item in others if item.needs_work), None)

    def of_case(self, key: str) -> WorkItem | None:
        """The item of a case; None if there is none."""
        return next((item for item in self.items if item.key == key), None)
