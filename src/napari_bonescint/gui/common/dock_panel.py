"""What the panels of this plugin have in common: they end what they started when they leave the window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QApplication, QWidget

if TYPE_CHECKING:
    from qtpy.QtGui import QCloseEvent

    from napari_bonescint.inference.child import SegmentationProcess


class DockPanel(QWidget):
    """A panel in a dock of napari's; subclasses say in `_shut_down` what ends with it, which may be asked twice."""

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802
        """End with the panel what it started."""
        self._shut_down()
        super().closeEvent(event)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Do the same when napari takes the panel out of its dock, which does not close it."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self._shut_down()

    def _end_at_last(self, child: SegmentationProcess) -> None:
        """End a child process also where the panel goes without a word, and with the program."""
        # Bound to the child alone: once `destroyed` is emitted, nothing else of the panel is left.
        self.destroyed.connect(child.close)
        application = QApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(child.close)

    def _shut_down(self) -> None:
        raise NotImplementedError
