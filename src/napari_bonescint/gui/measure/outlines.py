"""Show on the views what a row of a table is of: its outline, in the middle of the window."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from napari_bonescint.gui.layers.overlays import Lines
from napari_bonescint.gui.measure.places import middle_of, pixels_of, sacroiliac_of
from napari_bonescint.gui.placement import world

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from napari.viewer import Viewer
    from numpy.typing import NDArray

    from napari_bonescint.gui.common.file_worker import FileWorker
    from napari_bonescint.gui.measure.controller import MeasureController
    from napari_bonescint.gui.measure.places import FoundJoints
    from napari_bonescint.gui.measure.reading import Reading
    from napari_bonescint.measurement.measures import HotSpot, Measures, RegionUptake
    from napari_bonescint.measurement.sacroiliac import SacroiliacProfile
    from napari_bonescint.scan import ViewName

_COLOUR = "#ffe14d"


class Outlines:
    """Outlines hot spots, bones and the sacroiliac joints of the scan that is shown; `lines` are drawn."""

    def __init__(self, viewer: Viewer, controller: MeasureController, background: FileWorker) -> None:
        self._viewer, self._controller, self._background = viewer, controller, background
        self.lines = Lines(viewer, "measured region", _COLOUR)
        self._outlined: object = None
        self._profiled: Measures | None = None

    def clear(self) -> None:
        """Remove all lines."""
        self.lines.clear()

    def remove(self) -> None:
        """Take the lines out of the viewer."""
        self.lines.remove()

    def show_spot(self, spot: HotSpot) -> None:
        """Outline a hot spot, centre on it, and give its layer to brush and eraser."""
        scan = self._controller.current
        if scan is None:
            return
        layer = scan.layer_of(spot.view)
        if layer in self._viewer.layers:
            self._viewer.layers.selection.active = layer
        self._outlined = spot
        self._draw(scan, spot, spot.view, layer.data == spot.id)

    def show_region(self, region: RegionUptake) -> None:
        """Outline the bone of a row and centre on it."""
        scan = self._controller.current
        if scan is None:
            return
        self._outlined = region
        work = partial(pixels_of, region, scan.regions, scan.scan.views)
        self._background.run(work, partial(self._draw, scan, region, region.view), lambda _sentence: None)

    def show_joints(self, joints: SacroiliacProfile) -> None:
        """Outline the sacroiliac joints and the sacrum, and centre on them."""
        scan = self._controller.current
        if scan is not None:
            self._outlined = joints
            self._draw(scan, joints, scan.scan.views[joints.view].name, joints.places > 0)

    def find_profile(
        self, scan: Reading | None, measures: Measures | None, show: Callable[[FoundJoints | None], None]
    ) -> None:
        """Find the profile across the sacroiliac joints in a thread, once for the same measures, and show it."""
        if measures is self._profiled:
            return
        self._profiled = measures
        if scan is None or measures is None:
            show(None)
            return

        def then(found: FoundJoints | None) -> None:
            if measures is self._profiled:
                show(found)

        work = partial(sacroiliac_of, scan.scan, scan.regions, scan.spots.pixels())
        self._background.run(work, then, lambda _sentence: None)

    def _draw(self, scan: Reading, of: object, view: ViewName, mask: NDArray[np.bool_]) -> None:
        middle = middle_of(mask)
        if of is not self._outlined or scan is not self._controller.current or middle is None:
            return
        image = scan.image_of(view)
        self.lines.draw_around(mask, image)
        self.lines.show()
        (centre,) = world(image, [middle])
        self._viewer.scene.camera.center = (0.0, *centre)
