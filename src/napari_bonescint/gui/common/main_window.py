"""The window of napari, as the parent of dialogs that belong to no panel."""

from __future__ import annotations

from qtpy.QtWidgets import QApplication, QMainWindow


def main_window() -> QMainWindow | None:
    """The active main window, or else a visible one; None if there is none."""
    windows = [each for each in QApplication.topLevelWidgets() if isinstance(each, QMainWindow) and each.isVisible()]
    active = QApplication.activeWindow()
    return next((each for each in windows if each is active), windows[0] if windows else None)
