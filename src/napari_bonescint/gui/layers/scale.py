"""napari's scale bar, shown while all open scans have a size in millimetres."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from napari_bonescint.gui.layers.scans import KEY, ViewFacts, spacing_of

if TYPE_CHECKING:
    from napari.components import ViewerModel


class ScaleBar:
    """Shows the scale bar of a viewer, and hides it when a scan without a size would give it a false unit.

    A scale bar that the user has switched on or off stays so.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = weakref.ref(viewer)
        self._ours = False

    def update(self) -> None:
        """Show or hide it for the scans that are open now."""
        viewer = self._viewer()
        if viewer is None or bool(viewer.canvas.overlays.scale_bar.visible) is not self._ours:
            return
        scans = [layer for layer in viewer.layers if isinstance(layer.metadata.get(KEY), ViewFacts)]
        if scans:
            self._ours = all(spacing_of(scan) is not None for scan in scans)
            bar = viewer.canvas.overlays.scale_bar
            if self._ours and not bar.visible:
                bar.box = True  # else it could not be read over an image of its colour
            bar.visible = self._ours
