"""Where things are on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.gui.placement import corners

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer
    from numpy.typing import NDArray


def on_screen(viewer: ViewerModel, layer: Layer) -> NDArray[np.float64]:
    """The corners (y, x) of an image or labels layer on the canvas, in pixels."""
    camera = viewer.scene.camera
    return (corners(layer) - np.array(camera.center)[-2:]) * camera.zoom + np.array(viewer.canvas.size) / 2


def is_in_view(viewer: ViewerModel, room: float = 0) -> bool:
    """Whether all layers are on the canvas, with room in pixels above them, and fill it in one direction."""
    places = np.concatenate([on_screen(viewer, layer) for layer in viewer.layers])
    low, high = places.min(axis=0), places.max(axis=0)
    height, width = viewer.canvas.size
    inside = low[0] >= room and low[1] >= 0 and high[0] <= height and high[1] <= width
    return bool(inside and max((high - low) / (height, width)) > 0.8)
