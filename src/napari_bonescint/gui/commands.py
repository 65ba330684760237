"""Commands in napari's menus and command palette; each works without arguments."""

from __future__ import annotations

import napari  # noqa: TC002  (napari looks the annotation up when it calls the command)

from napari_bonescint.gui.common.panels import open_panel


def segment_skeleton(viewer: napari.Viewer) -> None:
    """Open the panel and segment the scans selected in the layer list; without any, those checked in the panel."""
    open_panel(viewer, "Segment skeleton").segment_selected()


def correct_this_scan(viewer: napari.Viewer) -> None:
    """Open the panel "Correct masks" on the scan of the active layer, in the layers that it has."""
    open_panel(viewer, "Correct masks").correct_scan()


def measure_this_scan(viewer: napari.Viewer) -> None:
    """Open the panel "Measure" and measure the scan of the active layer; it is segmented first if need be."""
    open_panel(viewer, "Measure").measure_selected()
