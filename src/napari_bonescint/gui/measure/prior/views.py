"""Ways to look at a scan and a prior one: both scans, side by side with linked views, blinking, or their difference.

The prior is shown in the position of the new scan, so one camera moves both.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image
from napari.utils.colormaps import Colormap

from napari_bonescint.gui.layers.fitting import fit_visible
from napari_bonescint.gui.layers.marks import ViewMarks, marks_of, put_marks
from napari_bonescint.gui.layers.scans import AID, KEY
from napari_bonescint.gui.placement import follow, place_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.components import ViewerModel
    from napari.layers import Layer
    from numpy.typing import NDArray

    from napari_bonescint.gui.measure.prior.comparing import Compared

_PUT_MS, _DRAW_MS = 1, 60
# In units of normal bone.
_MOST = 3.0
_LESS_TO_MORE = Colormap([[0.13, 0.40, 0.80], [1, 1, 1], [0.85, 0.10, 0.10]], name="less to more")


class Look(StrEnum):
    """Ways to look at both scans."""

    APART = "As they are open"
    BESIDE = "Side by side, linked"
    BLINK = "Blink"
    DIFFERENCE = "Difference"


class PriorViews:
    """Shows a prior scan with the new one in a viewer.

    Parameters
    ----------
    viewer : ViewerModel
    call_later : callable
        Calls a function after some milliseconds, in the same thread.
    """

    def __init__(self, viewer: ViewerModel, call_later: Callable[[int, Callable[[], None]], None]) -> None:
        # napari hands a proxy of the viewer to panels.
        self._viewer = getattr(viewer, "__wrapped__", viewer)
        self._call_later = call_later
        self.look = Look.APART
        self._compared: Compared | None = None
        self._layers: list[Image] = []
        self._hidden: list[Layer] = []
        self._grid: tuple[bool, int, tuple[int, int]] | None = None
        self._turn = 0

    @property
    def shows_prior(self) -> bool:
        """Whether the prior is the one to be seen while blinking."""
        return any(layer.visible for layer in self._layers)

    def show(self, compared: Compared | None, look: Look) -> None:
        """Look at a comparison; None shows the scans as they are open."""
        look = Look.APART if compared is None else look
        known = self._compared
        if look is self.look and compared is not None and known is not None and compared.old is known.old:
            if compared is not known:  # brought up to date after an edit
                self._fill(compared)
            return
        was_apart = self.look is Look.APART
        self.clear()
        self._compared, self.look = compared, look
        if compared is None or look is Look.APART:
            if not was_apart:
                fit_visible(self._viewer)  # the prior is back in its own place
            return
        masks = compared.new.masks if look is Look.BLINK else ()  # they would blink, too
        covered = [layer for layer in (*self._of(compared.old), *masks) if layer in self._viewer.layers]
        self._hidden = [layer for layer in covered if layer.visible]
        for layer in self._hidden:
            layer.visible = False
        for image, pixels in zip(compared.new.images, self._pixels(compared), strict=True):
            if pixels is not None:
                self._layers.append(self._layer(compared, image, pixels))
        self._add_next(self._turn)

    def swap(self) -> None:
        """Show the other scan: the next step of blinking."""
        if self.look is Look.BLINK:
            shown = not self.shows_prior
            for layer in self._layers:
                layer.visible = shown
            self._show_captions(below=not shown)

    def clear(self) -> None:
        """Show both scans as they are open."""
        self._turn += 1
        self._leave_grid()
        for layer in self._layers:
            if layer in self._viewer.layers:
                self._viewer.layers.remove(layer)
        for hidden in self._hidden:
            if hidden in self._viewer.layers:
                hidden.visible = True
        self._show_captions(below=True)
        self._layers, self._hidden = [], []
        self._compared, self.look = None, Look.APART

    def _show_captions(self, *, below: bool) -> None:
        """Show the captions of the new scan's views, which lie below those of the prior, or hide them."""
        for image in () if self._compared is None else self._compared.new.images:
            marks = marks_of(image)
            if marks is not None:
                marks.visible = below

    def _of(self, reading: Any) -> list[Layer]:
        return [*reading.images, *reading.masks, *reading.spots.layers]

    def _pixels(self, compared: Compared) -> list[NDArray[np.float32] | None]:
        """What is shown for each view of the new scan; None for a view that the prior scan lacks."""
        warped = compared.warped
        planes = warped.difference if self.look is Look.DIFFERENCE else warped.counts
        return [None if np.isnan(plane).all() else np.nan_to_num(plane) for plane in planes]

    def _layer(self, compared: Compared, image: Image, pixels: NDArray[np.float32]) -> Image:
        difference = self.look is Look.DIFFERENCE
        what = "minus prior" if difference else "prior"
        # The prior keeps its own name, although it lies in the place of the new scan.
        named = image if difference else _prior_of(compared, image)
        name = f"{named.name} {what}"
        limits = (-_MOST, _MOST) if difference else tuple(image.contrast_limits)
        layer = Image(
            pixels,
            name=name,
            colormap=_LESS_TO_MORE if difference else image.colormap,
            contrast_limits=limits,
            metadata={KEY: AID},
            **place_of(image),
        )
        marks, its_own = marks_of(image), marks_of(named)
        if marks is not None and its_own is not None:
            put_marks(layer, ViewMarks(title=f"{its_own.title} {what}", view=marks.view, letters=marks.letters))
        follow(layer, image)
        return layer

    def _fill(self, compared: Compared) -> None:
        self._compared = compared
        fresh = [pixels for pixels in self._pixels(compared) if pixels is not None]
        for layer, pixels in zip(self._layers, fresh, strict=True):
            layer.data = pixels

    def _add_next(self, turn: int) -> None:
        """Add one layer at a time, because napari takes 0.1 s for each."""
        if turn != self._turn:
            return
        missing = next((layer for layer in self._layers if layer not in self._viewer.layers), None)
        if missing is None:
            self._show_captions(below=self.look is Look.BESIDE)
            if self.look is Look.BESIDE:
                self._enter_grid()
                # The views of the grid have their size only after they were drawn.
                self._call_later(_DRAW_MS, lambda: self._fit(turn))
            return
        selection = self._viewer.layers.selection
        before, active = set(selection), selection.active
        # Below the hot spots, except side by side, where the last layers fill the second place.
        at = len(self._viewer.layers) if self.look is Look.BESIDE else self._above_images()
        self._viewer.layers.insert(at, missing)
        selection.intersection_update(before)
        selection.update(before)
        selection.active = active
        self._call_later(_PUT_MS, lambda: self._add_next(turn))

    def _fit(self, turn: int) -> None:
        if turn == self._turn:
            fit_visible(self._viewer)

    def _above_images(self) -> int:
        if self._compared is None:
            return len(self._viewer.layers)
        layers = self._viewer.layers
        covered = [*self._compared.new.images, *self._compared.new.masks, *self._layers]
        return 1 + max(int(layers.index(layer)) for layer in covered if layer in layers)

    def _enter_grid(self) -> None:
        """Give the prior a view of its own beside the others; napari moves all views of its grid together."""
        grid = self._viewer.canvas.grid
        self._grid = grid.enabled, grid.stride, grid.shape
        layers = self._viewer.layers
        first = min((layers.index(layer) for layer in self._layers), default=0)
        # As many layers in each view as lie below the prior.
        grid.stride = max(first, len(layers) - first)
        grid.shape = (1, 2)
        grid.enabled = True

    def _leave_grid(self) -> None:
        if self._grid is not None:
            grid = self._viewer.canvas.grid
            grid.enabled, grid.stride, grid.shape = self._grid
            self._grid = None
            fit_visible(self._viewer)


def _prior_of(compared: Compared, image: Image) -> Image:
    """The image of the prior scan that shows the view of an image of the new one."""
    view = compared.new.scan.views[compared.new.images.index(image)].name
    there = {each.name for each in compared.old.scan.views}
    return compared.old.image_of(view) if view in there else image
