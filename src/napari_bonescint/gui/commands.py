"""Commands in napari's menus and command palette."""

from __future__ import annotations

import napari  # noqa: TC002  (napari looks the annotation up when it calls the command)


def segment_skeleton(viewer: napari.Viewer) -> None:
    """Open the panel and segment the scans selected in the layer list; without any, those checked in the panel."""
    dock, widget = viewer.window.add_plugin_dock_widget("napari-bonescint", "Segment skeleton")
    dock.show()
    widget.segment_selected()


def correct_masks(viewer: napari.Viewer) -> None:
    """Open the panel "Correct masks"."""
    dock, _ = viewer.window.add_plugin_dock_widget("napari-bonescint", "Correct masks")
    dock.show()
