"""The window of napari: that of a panel, and the parent of dialogs that belong to no panel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QApplication, QMainWindow

if TYPE_CHECKING:
    from qtpy.QtWidgets import QWidget


def main_window() -> QMainWindow | None:
    """The active main window, or else a visible one; None if there is none."""
    windows = [each for each in QApplication.topLevelWidgets() if isinstance(each, QMainWindow) and each.isVisible()]
    active = QApplication.activeWindow()
    return next((each for each in windows if each is active), windows[0] if windows else None)


def main_window_of(widget: QWidget) -> QMainWindow | None:
    """The main window of a widget in a dock, even if the dock floats; None outside of any."""
    parent = widget.parentWidget()
    while parent is not None and not isinstance(parent, QMainWindow):
        parent = parent.parentWidget()
    return parent
