"""The key Escape, which cancels what a panel is doing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QObject
from qtpy.QtGui import QKeySequence, QShortcut

from napari_bonescint.gui.common.main_window import main_window_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtpy.QtWidgets import QWidget


class EscapeKey(QObject):
    """Calls a function when Escape is pressed anywhere in the window, also while the panel lies behind another tab.

    It listens only while there is something to cancel: otherwise Escape belongs to the tools on the canvas. If several
    panels listen, each press cancels one of them.
    """

    def __init__(self, panel: QWidget, cancel: Callable[[], object]) -> None:
        super().__init__(panel)
        self._panel, self._cancel = panel, cancel
        self._shortcut: QShortcut | None = None

    def listen(self, on: bool) -> None:
        """Begin or end to listen."""
        if on and self._shortcut is None:
            # Of the window, because a hidden widget has no keys.
            owner = main_window_of(self._panel) or self._panel
            self._shortcut = QShortcut(QKeySequence("Escape"), owner)
            self._shortcut.activated.connect(self._cancel)
            self._shortcut.activatedAmbiguously.connect(self._cancel)
            self._panel.destroyed.connect(self._shortcut.deleteLater)
        elif not on and self._shortcut is not None:
            self._shortcut.setEnabled(False)
            self._shortcut.deleteLater()
            self._shortcut = None
