"""Ask before the window of a panel closes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QObject

from napari_bonescint.gui.common.main_window import main_window_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtpy.QtWidgets import QWidget


class CloseGuard(QObject):
    """Asks before the window of a panel closes, and reports when it has closed.

    Parameters
    ----------
    panel : QWidget
        The panel; it must be in its dock already.
    may_close : callable
        Called before the window closes; False keeps it open.
    closed : callable
        Called when the window has closed.
    """

    def __init__(self, panel: QWidget, may_close: Callable[[], bool], closed: Callable[[], None]) -> None:
        super().__init__(panel)
        self._may_close, self._closed = may_close, closed
        self._agreed = False
        self.window = main_window_of(panel)
        if self.window is not None:
            self.window.installEventFilter(self)

    def stop(self) -> None:
        """Ask no more."""
        if self.window is not None:
            self.window.removeEventFilter(self)
            self.window = None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Ask when the window is to close, and report when it has."""
        # While a window is being destroyed, Python may have cleared this object already.
        window = getattr(self, "window", None)
        if window is None:
            return False
        if watched is window and event.type() == QEvent.Type.Close:
            if not self._may_close():
                event.ignore()
                return True
            # napari may ask, too, and keep the window open. A window that really closes hides next.
            self._agreed = True
        elif watched is window and event.type() == QEvent.Type.Hide and self._agreed:
            self._closed()
        return super().eventFilter(watched, event)
