"""A work list while one works in it: what becomes of each item, and which one is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psygnal import Signal

from napari_bonescint.corrections.queue import count_reviewed

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from napari_bonescint.corrections.queue import WorkItem


class WorkQueue:
    """Items in an order that stays: a row that moved away once saved would make "next" unpredictable.

    Parameters
    ----------
    items : iterable of WorkItem
        In the order in which to correct them.

    Attributes
    ----------
    items : list of WorkItem
        What is known of them now.
    reviewed : int
        How many are reviewed.
    open_row : int
        The row of the item that is open; -1 if none is.
    """

    changed = Signal(int)
    """Emitted with the row of an item of which more is known."""
    opened = Signal()
    """Emitted when another item is open."""

    def __init__(self, items: Iterable[WorkItem]) -> None:
        self.items = list(items)
        self.reviewed = count_reviewed(self.items)
        self.open_row = -1
        self._rows = {item.identity: row for row, item in enumerate(self.items)}

    def row_of(self, identity: Hashable) -> int:
        """In which row an item is; -1 if it is in none."""
        return self._rows.get(identity, -1)

    def latest(self, item: WorkItem) -> WorkItem:
        """What is known of an item now."""
        row = self.row_of(item.identity)
        return item if row < 0 else self.items[row]

    def update(self, item: WorkItem) -> None:
        """Note what has become of an item; it keeps its row."""
        row = self.row_of(item.identity)
        if row >= 0:
            self.reviewed += count_reviewed([item]) - count_reviewed([self.items[row]])
            self.items[row] = item
            self.changed.emit(row)

    def open(self, item: WorkItem) -> None:
        """Note that an item is open now, and what is known of it."""
        self.update(item)
        self.open_row = self.row_of(item.identity)
        self.opened.emit()

    def neighbour(self, step: int) -> WorkItem | None:
        """The item so many rows after the open one; without an open one, the first; None past either end."""
        row = self.open_row + step if self.open_row >= 0 else 0
        return self.items[row] if 0 <= row < len(self.items) else None

    def of_case(self, key: str) -> WorkItem | None:
        """The item of a case; None if there is none."""
        return next((item for item in self.items if item.case is not None and item.case.key == key), None)
