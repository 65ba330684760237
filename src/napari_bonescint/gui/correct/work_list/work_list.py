"""The work list: shows the cases to correct, and opens them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QModelIndex, Qt, Signal
from qtpy.QtWidgets import QAbstractItemView, QHBoxLayout, QListView, QPushButton, QVBoxLayout, QWidget

from napari_bonescint.gui.correct.work_list.delegate import ROW_HEIGHT, WorkListDelegate
from napari_bonescint.gui.correct.work_list.model import ITEM, WorkListModel
from napari_bonescint.gui.widgets.plain_label import PlainLabel
from napari_bonescint.text.formatting import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_bonescint.corrections.work_list.queue import WorkItem
    from napari_bonescint.gui.correct.work_queue import WorkQueue
    from napari_bonescint.scan import Scan

_ROWS = 6
"""As many are always seen."""


class WorkList(QWidget):
    """A list of cases with buttons for the previous and the next one; a click opens any case."""

    chosen = Signal(object)
    """Emitted with the `WorkItem` that the user wants to open."""

    def __init__(self) -> None:
        super().__init__()
        self.model = WorkListModel(self)
        self._delegate = WorkListDelegate(self)
        self.view = QListView()
        self.view.setModel(self.model)
        self.view.setItemDelegate(self._delegate)
        self.view.setUniformItemSizes(True)
        self.view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.view.setMinimumHeight(_ROWS * ROW_HEIGHT + 2 * self.view.frameWidth())
        self.view.setAccessibleName("Work list")
        self.previous_button = QPushButton("◀ PgUp")
        self.previous_button.setToolTip("Open the previous case (Page Up)")
        self.next_button = QPushButton("PgDn ▶")
        self.next_button.setToolTip("Open the next case (Page Down)")
        for button in (self.previous_button, self.next_button):
            button.setStyleSheet("QPushButton { padding: 1px 6px; }")
        self.place = PlainLabel()
        row = QHBoxLayout()
        row.addWidget(self.previous_button)
        row.addStretch()
        row.addWidget(self.place)
        row.addStretch()
        row.addWidget(self.next_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.view, 1)
        layout.addLayout(row)
        self.view.clicked.connect(self._on_clicked)
        self.view.activated.connect(self._on_clicked)
        self.previous_button.clicked.connect(self.open_previous)
        self.next_button.clicked.connect(self.open_next)
        self._show_place()

    def show_queue(self, queue: WorkQueue, read: Callable[[WorkItem], Scan]) -> None:
        """Show another queue and its changes; `read` reads the scan of an item, in another thread."""
        self.model.show(queue, read)
        queue.changed.connect(self._show_place)
        queue.opened.connect(self._on_opened)
        self._on_opened()

    def show_open(self) -> None:
        """Select the open item; if none is open, the one that was open last."""
        row = self.model.queue.place
        index = self.model.index(row) if row >= 0 else QModelIndex()
        self.view.setCurrentIndex(index)
        self.view.scrollTo(index)

    def open_next(self) -> None:
        """Request the item after the open one; if none is open, the one that was open last, or the first."""
        self._ask_for(self.model.queue.neighbour(1))

    def open_previous(self) -> None:
        """Request the item before the open one."""
        self._ask_for(self.model.queue.neighbour(-1))

    def close_pictures(self) -> None:
        """End the thread for thumbnails."""
        self.model.close()

    def _ask_for(self, item: WorkItem | None) -> None:
        if item is not None:
            self.chosen.emit(item)

    def _on_clicked(self, index: QModelIndex) -> None:
        # Also the open one: its case may have been left for a scan that is in no label store.
        self.chosen.emit(index.data(ITEM))

    def _on_opened(self) -> None:
        self._delegate.open_row = self.model.queue.open_row
        self.show_open()
        self.view.viewport().update()
        self._show_place()

    def _show_place(self) -> None:
        queue, row = self.model.queue, self.model.queue.open_row
        count = len(queue.items)
        place = f"{row + 1} of {count}" if row >= 0 else counted(count, "case")
        self.place.setText(f"{place} · {queue.reviewed} reviewed" if count else "")
        self.previous_button.setEnabled(row > 0)
        self.next_button.setEnabled(row < count - 1)
