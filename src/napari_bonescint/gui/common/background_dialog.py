"""A dialog that works in a thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QDialog, QHBoxLayout, QPushButton

from napari_bonescint.gui.common.close_guard import CloseGuard
from napari_bonescint.gui.common.file_worker import FileWorker

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qtpy.QtWidgets import QWidget


class BackgroundDialog(QDialog):
    """A dialog that works in a thread; it may be closed before the work is done, and is deleted afterwards.

    Subclasses set `_is_busy` while they work, and call `_end_when_idle` afterwards.
    """

    def __init__(self, parent: QWidget | None, title: str) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self._background = FileWorker(self)
        self._guard = CloseGuard(self, lambda: True, self._stop)
        self._is_busy = False
        self.close_button = QPushButton("Close")
        self.close_button.clicked.connect(self.reject)

    def done(self, result: int) -> None:
        """Close the dialog."""
        super().done(result)
        self._end_when_idle()

    def _stop(self) -> None:
        """Called when napari's window has closed."""
        self._background.close()

    def _end_when_idle(self) -> None:
        if not self._is_busy and not self.isVisible():
            self._guard.stop()
            self._background.close()
            self.deleteLater()

    def _button_row(self, left: Iterable[QPushButton], right: Iterable[QPushButton] = ()) -> QHBoxLayout:
        """Buttons at the left, and others beside the button Close at the right."""
        row = QHBoxLayout()
        for button in left:
            row.addWidget(button)
        row.addStretch()
        for button in (*right, self.close_button):
            row.addWidget(button)
        return row
