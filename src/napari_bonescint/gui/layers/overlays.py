"""Layers that only help to see: lines and maps over a scan, which are taken out again and are no views of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Vectors

from napari_bonescint.gui.layers.scans import AID, KEY

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image, Layer
    from numpy.typing import NDArray

# On the screen, whatever the zoom: thinner ones are not drawn at all.
_LINE_WIDTH = 2.5
_CROSS_ARM = 9.0


class OwnLayer:
    """A layer of ours in the viewer, put back if the user removes it while it is needed.

    Parameters
    ----------
    viewer : ViewerModel
        The viewer.
    layer : Layer
        The layer.
    """

    def __init__(self, viewer: ViewerModel, layer: Layer) -> None:
        self._viewer = viewer
        self.layer = layer
        layer.metadata[KEY] = AID

    def show(self) -> None:
        """Add the layer if it is not there, and leave the user's selection of layers as it is."""
        if self.layer in self._viewer.layers:
            return
        selection = self._viewer.layers.selection
        before, active = set(selection), selection.active
        self._viewer.layers.append(self.layer)
        selection.intersection_update(before)
        selection.update(before)
        selection.active = active

    def remove(self) -> None:
        """Take the layer out."""
        if self.layer in self._viewer.layers:
            self._viewer.layers.remove(self.layer)


class Lines(OwnLayer):
    """Lines over a scan, cheap enough to follow the mouse.

    Parameters
    ----------
    viewer : ViewerModel
        The viewer.
    name : str
        Of the layer.
    colour : str
        Of the lines.
    """

    def __init__(self, viewer: ViewerModel, name: str, colour: str) -> None:
        layer = Vectors(np.zeros((0, 2, 2)), name=name, edge_color=colour, vector_style="line", opacity=1.0)
        super().__init__(viewer, layer)

    def fit(self, image: Image) -> None:
        """Have lines in the units of an image."""
        self.layer.units = image.units

    def draw(self, path: NDArray[np.floating]) -> None:
        """Show a line through points of the world, of shape (n, 2)."""
        self._show(np.stack([path[:-1], np.diff(path, axis=0)], axis=1))

    def draw_cross(self, at: NDArray[np.floating]) -> None:
        """Show a cross at a point (y, x) of the world."""
        arms = np.eye(2) * _CROSS_ARM / camera_of(self._viewer).zoom
        self._show(np.stack([at - arms, 2 * arms], axis=1))

    def clear(self) -> None:
        """Show nothing."""
        if len(self.layer.data):
            self.layer.data = np.zeros((0, 2, 2))

    def _show(self, vectors: NDArray[np.floating]) -> None:
        width = _LINE_WIDTH / camera_of(self._viewer).zoom
        if self.layer.edge_width != width:
            self.layer.edge_width = width
        self.layer.data = vectors


def camera_of(viewer: ViewerModel) -> Any:
    """The viewer's camera, which napari 0.9 moved."""
    return viewer.scene.camera if hasattr(viewer, "scene") else viewer.camera
