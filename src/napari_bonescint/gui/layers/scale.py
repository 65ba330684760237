"""napari's scale bar, shown while all open scans have a size in millimetres."""

from __future__ import annotations

import weakref
from contextlib import nullcontext
from typing import TYPE_CHECKING

from napari_bonescint.gui.layers.scans import KEY, ViewFacts, spacing_of

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

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
        viewer, wanted = self._viewer(), self._wanted()
        if viewer is None or wanted is None:
            return
        self._ours = wanted
        bar = viewer.canvas.overlays.scale_bar
        if wanted and not bar.visible:
            bar.box = True  # else it could not be read over an image of its colour
        with _in_turns():
            bar.visible = wanted

    def _wanted(self) -> bool | None:
        """Whether it suits the open scans; None if there are none, or if the user has switched it."""
        viewer = self._viewer()
        if viewer is None or bool(viewer.canvas.overlays.scale_bar.visible) is not self._ours:
            return None
        scans = [layer for layer in viewer.layers if isinstance(layer.metadata.get(KEY), ViewFacts)]
        return all(spacing_of(scan) is not None for scan in scans) if scans else None


def _in_turns() -> AbstractContextManager[None]:
    try:
        from napari_bonescint.gui.layers.letters import scale_bar_in_turns
    except ImportError:  # without Qt there is no canvas
        return nullcontext()
    return scale_bar_in_turns()
