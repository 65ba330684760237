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
        self.is_due = False
        """Whether it was left to a later turn, in which `update` shows it."""

    def update(self) -> None:
        """Show or hide it for the scans that are open now."""
        viewer, wanted = self._viewer(), self._wanted()
        self.is_due = False
        if viewer is None or wanted is None:
            return
        self._ours = wanted
        bar = viewer.canvas.overlays.scale_bar
        if wanted and not bar.visible:
            bar.box = True  # else it could not be read over an image of its colour
        with _in_turns():
            bar.visible = wanted

    def leave_or_update(self) -> None:
        """Leave it to a later turn to show it; hide it now."""
        if self._ours or not self._wanted():
            self.update()
        else:
            self.is_due = True

    def takes_room(self) -> bool:
        """Whether it is shown, or soon will be."""
        viewer = self._viewer()
        return self.is_due or (viewer is not None and bool(viewer.canvas.overlays.scale_bar.visible))

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
