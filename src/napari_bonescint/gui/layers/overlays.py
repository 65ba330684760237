"""Overlay layers: lines and maps over a scan, which are never segmented or saved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Vectors

from napari_bonescint.gui.layers.scans import AID, KEY

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image, Layer
    from numpy.typing import NDArray

# In screen pixels at any zoom; thinner lines are not drawn at all.
_LINE_WIDTH = 2.5
_CROSS_ARM = 9.0


class OverlayLayer:
    """An overlay layer in the viewer; `show` adds it again if the user has removed it."""

    def __init__(self, viewer: ViewerModel, layer: Layer) -> None:
        self._viewer = viewer
        self.layer = layer
        layer.metadata[KEY] = AID

    def show(self) -> None:
        """Add the layer if it is missing; the selection of layers stays the same."""
        if self.layer in self._viewer.layers:
            return
        selection = self._viewer.layers.selection
        before, active = set(selection), selection.active
        self._viewer.layers.append(self.layer)
        selection.intersection_update(before)
        selection.update(before)
        selection.active = active

    def remove(self) -> None:
        """Remove the layer from the viewer."""
        if self.layer in self._viewer.layers:
            self._viewer.layers.remove(self.layer)


class Lines(OverlayLayer):
    """Lines over a scan, drawn fast enough to follow the mouse."""

    def __init__(self, viewer: ViewerModel, name: str, colour: str) -> None:
        layer = Vectors(np.zeros((0, 2, 2)), name=name, edge_color=colour, vector_style="line", opacity=1.0)
        super().__init__(viewer, layer)

    def fit(self, image: Image) -> None:
        """Give the lines the units of an image."""
        self.layer.units = image.units

    def draw(self, *paths: NDArray[np.floating]) -> None:
        """Show lines, each through points in world coordinates, of shape (n, 2)."""
        self._show(np.concatenate([np.stack([path[:-1], np.diff(path, axis=0)], axis=1) for path in paths]))

    def draw_cross(self, at: NDArray[np.floating]) -> None:
        """Show a cross at a point (y, x) in world coordinates."""
        arms = np.eye(2) * _CROSS_ARM / camera_of(self._viewer).zoom
        self._show(np.stack([at - arms, 2 * arms], axis=1))

    def clear(self) -> None:
        """Remove all lines."""
        if len(self.layer.data):
            self.layer.data = np.zeros((0, 2, 2))

    def _show(self, vectors: NDArray[np.floating]) -> None:
        width = _LINE_WIDTH / camera_of(self._viewer).zoom
        if self.layer.edge_width != width:
            self.layer.edge_width = width
        self.layer.data = vectors


def camera_of(viewer: ViewerModel) -> Any:
    """The viewer's camera; napari 0.9 moved it to `viewer.scene`."""
    return viewer.scene.camera if hasattr(viewer, "scene") else viewer.camera
