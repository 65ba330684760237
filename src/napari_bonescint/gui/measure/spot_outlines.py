"""Outlines of hot spots on the views of a scan; they are no layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.gui.layers.overlays import Lines, edges
from napari_bonescint.gui.measure.spot_layers import OTHER, SUSPICIOUS
from napari_bonescint.gui.placement import world

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.components import ViewerModel
    from napari.layers import Image
    from numpy.typing import NDArray

# napari's events of what moves, turns, shows or hides an image.
_PLACING = ("scale", "translate", "rotate", "shear", "affine", "visible")


class SpotOutlines:
    """The outlines of hot spots on the views of a scan that are visible, red for suspicious ones and blue for others.

    Parameters
    ----------
    viewer : ViewerModel
    images : sequence of Image
        The views.
    """

    def __init__(self, viewer: ViewerModel, images: Sequence[Image]) -> None:
        self._images = tuple(images)
        self.lines = {
            is_suspicious: Lines(viewer, f"{images[0].name} {kind} hot spots", colour)
            for is_suspicious, kind, colour in ((True, "suspicious", SUSPICIOUS), (False, "other", OTHER))
        }
        self._edges: dict[bool, list[NDArray[np.float64]]] = {}
        for image in self._images:
            for name in _PLACING:
                getattr(image.events, name).connect(self._draw)

    def show(self, pixels: NDArray[np.uint16], suspicious: Sequence[Sequence[int]]) -> None:
        """Outline hot spots of shape (view, y, x), of which some numbers in each view are suspicious."""
        is_red = np.stack([np.isin(plane, numbers) for plane, numbers in zip(pixels, suspicious, strict=True)])
        self._edges = {
            True: [edges(plane) for plane in is_red],
            False: [edges(plane) for plane in (pixels > 0) & ~is_red],
        }
        self._draw()
        for lines in self.lines.values():
            lines.show()

    def clear(self) -> None:
        """Show no outlines."""
        self._edges = {}
        for lines in self.lines.values():
            lines.clear()

    def remove(self) -> None:
        """Take the lines out of the viewer, and follow the images no longer."""
        for image in self._images:
            for name in _PLACING:
                getattr(image.events, name).disconnect(self._draw)
        for lines in self.lines.values():
            lines.remove()

    def _draw(self, _event: object = None) -> None:
        for is_suspicious, planes in self._edges.items():
            views = zip(self._images, planes, strict=True)
            ends = [world(image, plane.reshape(-1, 2)).reshape(-1, 4) for image, plane in views if image.visible]
            self.lines[is_suspicious].draw_segments(np.concatenate([np.zeros((0, 4)), *ends]))
