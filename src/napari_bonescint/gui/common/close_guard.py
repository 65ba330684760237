"""Having a word when the window that a panel is docked in is closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QMainWindow

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtpy.QtWidgets import QWidget


class WindowClosing(QObject):
    """Asks before the window of a panel closes, and tells when it has.

    Parameters
    ----------
    panel : QWidget
        The panel, shown in its dock by now.
    may_close : callable
        Asked first; False keeps the window open.
    closed : callable
        Told once the window is gone.
    """

    def __init__(self, panel: QWidget, may_close: Callable[[], bool], closed: Callable[[], None]) -> None:
        super().__init__(panel)
        self._may_close, self._closed = may_close, closed
        self._agreed = False
        parent = panel.parentWidget()
        while parent is not None and not isinstance(parent, QMainWindow):
            parent = parent.parentWidget()
        self.window = parent
        if parent is not None:
            parent.installEventFilter(self)

    def let_go(self) -> None:
        """Have no word any more."""
        if self.window is not None:
            self.window.removeEventFilter(self)
            self.window = None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Ask, and tell."""
        if watched is self.window and event.type() == QEvent.Type.Close:
            if not self._may_close():
                event.ignore()
                return True
            # Whether the window closes is not known yet: napari may ask, too. If it does, it hides.
            self._agreed = True
        elif watched is self.window and event.type() == QEvent.Type.Hide and self._agreed:
            self._closed()
        return super().eventFilter(watched, event)
