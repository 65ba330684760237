"""Lines and maps over a scan, which are never segmented or saved."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.gui.layers.marks import SceneLines, put_lines, remove_lines
from napari_bonescint.gui.layers.scans import AID, KEY
from napari_bonescint.gui.placement import world

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer
    from numpy.typing import NDArray

# In screen pixels at any zoom.
_CROSS_ARM = 9.0


def teach_canvas() -> None:
    """Let napari's canvas draw marks and lines; without Qt there is no canvas."""
    with suppress(ImportError):
        import napari_bonescint.gui.layers.drawing  # noqa: F401


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


class Lines:
    """Lines over a scan, drawn fast enough to follow the mouse; they are no layer."""

    def __init__(self, viewer: ViewerModel, name: str, colour: str) -> None:
        teach_canvas()
        self._viewer = viewer
        self._name = f"bonescint {name}"
        # napari makes what draws an overlay when it is first visible, which takes a while.
        self.drawn = SceneLines(colour=colour, visible=False)
        self._is_wanted = True

    @property
    def visible(self) -> bool:
        """Whether the lines are shown."""
        return self._is_wanted

    @visible.setter
    def visible(self, visible: bool) -> None:
        self._is_wanted = visible
        self.drawn.visible = visible and bool(self.drawn.lines)

    def show(self) -> None:
        """Add the lines to the scene."""
        put_lines(self._viewer, self._name, self.drawn)

    def remove(self) -> None:
        """Take the lines out of the scene."""
        self.clear()
        remove_lines(self._viewer, self._name)

    def draw(self, *paths: NDArray[np.floating]) -> None:
        """Show lines, each through points in world coordinates, of shape (n, 2)."""
        self.draw_segments(np.concatenate([np.hstack([path[:-1], path[1:]]) for path in paths]))

    def draw_around(self, mask: NDArray[np.bool_], layer: Layer) -> None:
        """Show the outline of a mask (y, x) of pixels of a layer."""
        ends = edges(mask)
        self.draw_segments(world(layer, ends.reshape(-1, 2)).reshape(-1, 4))

    def draw_cross(self, at: NDArray[np.floating]) -> None:
        """Show a cross at a point (y, x) in world coordinates."""
        arms = np.eye(2) * _CROSS_ARM / self._viewer.scene.camera.zoom
        self.draw_segments(np.hstack([at - arms, at + arms]))

    def clear(self) -> None:
        """Remove all lines."""
        if self.drawn.lines:
            self.drawn.lines = ()

    def draw_segments(self, lines: NDArray[np.floating]) -> None:
        """Show straight lines from (y, x) to (y, x) in world coordinates, of shape (n, 4)."""
        self.drawn.lines = tuple(map(tuple, lines.tolist()))
        if self.drawn.lines and self.drawn.visible is not self._is_wanted:
            self.drawn.visible = self._is_wanted


def edges(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The edges of a mask as lines (y, x, y, x) in pixels, whose centres are whole numbers."""
    padded = np.pad(mask, 1).astype(np.int8)
    lines = []
    for turned in (False, True):
        steps = np.diff(padded.T if turned else padded, axis=0)  # along the first axis
        # Edges beside one another in a row become one line.
        for sign in (1, -1):
            run = np.diff(np.pad((steps == sign).astype(np.int8), ((0, 0), (1, 1))), axis=1)
            row, start = np.nonzero(run == 1)
            _, end = np.nonzero(run == -1)
            # Row r of the padded steps lies between pixels r - 1 and r.
            y, first, last = row - 0.5, start - 1.5, end - 1.5
            lines.append(np.stack([first, y, last, y] if turned else [y, first, y, last], axis=1))
    return np.concatenate(lines).astype(np.float64)
