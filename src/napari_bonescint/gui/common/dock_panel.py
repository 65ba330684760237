"""The base of all panels, which ends their processes when a panel closes, and widgets of all panels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QApplication, QPushButton, QWidget

from napari_bonescint.gui.common.close_guard import CloseGuard
from napari_bonescint.gui.common.plain_label import PlainLabel
from napari_bonescint.text import DISCLAIMER

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtpy.QtGui import QCloseEvent

    from napari_bonescint.gui.common.segmenting import SegmentationClient


class DockPanel(QWidget):
    """A panel in a dock of napari; a subclass ends its processes in `_end_processes`, which is called once."""

    _closing: CloseGuard | None = None
    _is_shut_down = False

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802
        """End the panel's processes."""
        self._shut_down()
        super().closeEvent(event)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """End the panel's processes when napari takes the panel out of its dock without closing it."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self._shut_down()

    def _end_at_last(self, child: SegmentationClient) -> None:
        """Leave the shared child process also when the panel is deleted without being closed, and when napari ends."""
        # Connected to the child alone, since nothing else of the panel exists once `destroyed` is emitted.
        self.destroyed.connect(child.close)
        application = QApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(child.close)

    def _guard_window(self, may_close: Callable[[], bool], closed: Callable[[], None]) -> QWidget | None:
        """Ask before napari closes, see `CloseGuard`; the first call returns the window, further ones None."""
        if self._closing is not None or self._is_shut_down:
            return None
        self._closing = CloseGuard(self, may_close, closed)
        return self._closing.window

    def _shut_down(self) -> None:
        if self._is_shut_down:
            return
        self._is_shut_down = True
        if self._closing is not None:
            self._closing.stop()
        self._end_processes()

    def _end_processes(self) -> None:
        raise NotImplementedError


def disclaimer_label() -> PlainLabel:
    """The disclaimer, in grey."""
    label = PlainLabel(f"{DISCLAIMER}.")
    label.setEnabled(False)
    return label


def main_button(text: str) -> QPushButton:
    """A large button for the main action of a panel."""
    button = QPushButton(text)
    button.setStyleSheet("QPushButton { font-size: 15px; font-weight: bold; padding: 10px; }")
    return button
