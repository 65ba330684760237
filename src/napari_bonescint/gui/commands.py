"""Commands in napari's menus and command palette, which work without arguments, and ways from one panel to another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import napari  # noqa: TC002  (napari looks the annotation up when it calls the command)

from napari_bonescint.gui.common.panels import open_panel

if TYPE_CHECKING:
    from napari.layers import Image


def segment_skeleton(viewer: napari.Viewer) -> None:
    """Open the panel and segment the scans selected in the layer list; without any, those checked in the panel."""
    open_panel(viewer, "Segment skeleton").segment_selected()


def correct_this_scan(viewer: napari.Viewer) -> None:
    """Open the panel "Correct masks" on the scan of the active layer, in the layers that it has."""
    open_panel(viewer, "Correct masks").correct_scan()


def measure_this_scan(viewer: napari.Viewer) -> None:
    """Open the panel "Measure" and measure the scan of the active layer; it is segmented first if need be."""
    open_panel(viewer, "Measure").measure_selected()


def ask_for_spacing(viewer: napari.Viewer, image: Image) -> None:
    """Go to the field for the pixel size of an image, which the panel "Segment skeleton" has."""
    panel = open_panel(viewer, "Segment skeleton")
    panel.come_forward()  # a new panel is seen in the next turn, and only what is seen gets the keyboard
    panel.page.ask_for_spacing(image)
