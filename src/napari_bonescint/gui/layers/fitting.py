"""Fit the camera to the open scans with room for captions and scale bar, until the user moves it."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_bonescint.gui.layers.later import later
from napari_bonescint.gui.layers.marks import marks_of
from napari_bonescint.gui.placement import corners

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_bonescint.gui.layers.scale import ScaleBar

# In screen pixels: two lines of text.
_CAPTION_HEIGHT = 44
# The box of the scale bar: half on a white view and half beside it, it looks like a part of the view.
_SCALE_BAR_HEIGHT = 48
# napari leaves this part of the canvas free around the scene.
_MARGIN = 0.05


class Fitting:
    """Keeps the scene of a viewer fitted to its canvas.

    napari fits the scene to the canvas before the window is shown, and never again when panels or the window change
    their size. It also leaves too little room for captions.
    """

    def __init__(self, viewer: ViewerModel, scale: ScaleBar) -> None:
        self._viewer = weakref.ref(viewer)
        self._scale = scale
        self._fitted: Any = None
        self._is_due = False
        viewer.events.reset_view.connect(self._make_room)
        viewer.canvas.events.size.connect(self._fit_again_soon)

    def fit(self) -> None:
        """Show all visible layers."""
        viewer = self._viewer()
        if viewer is not None:
            fit_visible(viewer)

    def _make_room(self) -> None:
        """Zoom out if captions or scale bar would have no room beside the views; also after the user's own reset."""
        viewer = self._viewer()
        if viewer is None or viewer.dims.ndisplay != 2 or viewer.canvas.grid.enabled:
            return
        camera, height = viewer.scene.camera, float(viewer.canvas.size[0])
        marked = [layer for layer in viewer.layers if layer.visible and marks_of(layer) is not None]
        tops = [float(corners(layer)[:, 0].min()) for layer in marked]
        # Only captions of the views that were fitted, which may be some of the layers. If there is no margin, napari
        # exports a figure of the pixels alone.
        above = [(top - camera.center[-2]) * camera.zoom + height / 2 for top in tops]
        shown = [(gap, top) for gap, top in zip(above, tops, strict=True) if 1 < gap < _CAPTION_HEIGHT]
        if shown and height > 2 * _CAPTION_HEIGHT:
            _, top = min(shown)
            below = height * _MARGIN / 2
            if self._scale.takes_room():
                below = max(below, _SCALE_BAR_HEIGHT)
            camera.zoom *= (1 - (_CAPTION_HEIGHT + below) / height) / (1 - _MARGIN)
            camera.center = (*camera.center[:-2], top + (height / 2 - _CAPTION_HEIGHT) / camera.zoom, camera.center[-1])
        self._fitted = _state(camera)

    def _fit_again_soon(self) -> None:
        """Fit in the next turn: a panel that opens changes the canvas's size while Qt styles and draws it."""
        if not self._is_due and self._is_fitted():
            self._is_due = True
            later(self._fit_again)

    def _fit_again(self) -> None:
        self._is_due = False
        viewer = self._viewer()
        if viewer is not None and viewer.layers and self._is_fitted():
            fit_visible(viewer)

    def _is_fitted(self) -> bool:
        """Whether the user has not moved the view since it was fitted."""
        viewer = self._viewer()
        return (
            viewer is not None and self._fitted is not None and np.allclose(_state(viewer.scene.camera), self._fitted)
        )


def fit_visible(viewer: ViewerModel) -> None:
    """Fit the camera to the visible layers; napari's own reset counts hidden ones, too."""
    shown = [layer for layer in viewer.layers if layer.visible]
    # napari takes longer for a part of the layers.
    viewer.reset_view(layers=shown if 0 < len(shown) < len(viewer.layers) else None)


def _state(camera: Any) -> tuple[float, ...]:
    return (*camera.center, camera.zoom)
