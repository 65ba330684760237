"""The command that opens scans: napari calls it for a path, and its palette without one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import napari

from napari_bonescint.gui import reader

if TYPE_CHECKING:
    from collections.abc import Callable


def get_reader(path: str | list[str] | None = None) -> Callable[[str | list[str]], Any] | None:
    """The reader for files or folders; without a path, the user is asked which files to open."""
    if path is not None:
        return reader.get_reader(path)
    viewer = napari.current_viewer()
    if viewer is not None:
        _ask_and_open(viewer)
    return None


def _ask_and_open(viewer: napari.Viewer) -> None:
    # Not at the top, since a script that only reads files does without Qt.
    from qtpy.QtWidgets import QFileDialog

    from napari_bonescint.gui.common.main_window import main_window

    files, _ = QFileDialog.getOpenFileNames(main_window(), "Open bone scans")
    if files:
        viewer.open(files, plugin="napari-bonescint")
