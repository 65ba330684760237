"""The layers of the case that is corrected.

napari takes 0.1 s to add a layer, and a scan needs five. Therefore a case uses the layers of the case before it if both
have the same views.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari.layers import Image

from napari_bonescint.gui.layers.fitting import fit_visible
from napari_bonescint.gui.layers.labels import empty_labels, show_instead
from napari_bonescint.gui.layers.scan_display import display_scans
from napari_bonescint.gui.layers.scans import KEY, facts_of, put_pixels, scans_to_layers, spacing_of, spans_of
from napari_bonescint.gui.layers.titles import titles_of
from napari_bonescint.gui.placement import straighten

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.components import ViewerModel
    from napari.layers import Labels

    from napari_bonescint.corrections.opening import OpenedCase
    from napari_bonescint.gui.layers.scans import LayerTuple
    from napari_bonescint.scan import Scan, Spacing, View

# napari measures the whole scene again after a change of each of these.
_PLACE = ("scale", "translate", "units")


class CaseLayers:
    """Shows one case at a time in a viewer; `images` and `labels` have a layer for each of its views."""

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        display_scans(viewer)
        self.images: list[Image] = []
        self.labels: list[Labels] = []

    def show(self, case: OpenedCase) -> None:
        """Show a case in place of the one before, with its title; `DisplayPanel` sets the brightness."""
        scan = case.scan
        if not self._can_hold(scan):
            self.clear()
        ours = {*self.images, *self.labels}
        others = [layer for layer in self._viewer.layers if layer not in ours]
        titles = titles_of([scan], others, [case.title])
        images = scans_to_layers([scan], spans_of(others), case.windows, titles)
        for image in self.images:
            straighten(image)  # the user may have turned the case before
        same_place = self._shown() == [(scan.counts.shape[1:], scan.spacing, view) for view in scan.views]
        if self.images:
            self._refill(images, same_place=same_place)
        else:
            self._add(images)
        for labels, plane in zip(self.labels, case.regions, strict=True):
            show_instead(labels, plane, names_regions=case.names_regions)
        if not same_place:
            fit_visible(self._viewer)

    def clear(self) -> None:
        """Remove the shown case from the viewer."""
        for layer in (*self.labels, *self.images):
            if layer in self._viewer.layers:
                self._viewer.layers.remove(layer)
        self.images, self.labels = [], []

    def _can_hold(self, scan: Scan) -> bool:
        return [view.name for _, _, view in self._shown()] == [view.name for view in scan.views] and all(
            layer in self._viewer.layers for layer in (*self.images, *self.labels)
        )

    def _shown(self) -> list[tuple[tuple[int, ...], Spacing | None, View]]:
        """Shape, spacing and view of each image now; the user may have changed them."""
        return [(image.data.shape, spacing_of(image), facts_of(image).view) for image in self.images]

    def _add(self, images: Sequence[LayerTuple]) -> None:
        # Copies, because the next case overwrites them.
        self.images = [Image(counts.copy(), **attributes) for counts, attributes, _ in images]
        self.labels = [empty_labels(image) for image in self.images]
        for layer in (*self.images, *self.labels):
            self._viewer.add_layer(layer)
        self._viewer.layers.selection.active = self.labels[0]

    def _refill(self, images: Sequence[LayerTuple], *, same_place: bool) -> None:
        for image, labels, (counts, attributes, _) in zip(self.images, self.labels, images, strict=True):
            rest = labels.name.removeprefix(facts_of(image).title)
            renamed = attributes["metadata"][KEY].title != facts_of(image).title
            for name in ("metadata",) if same_place else (*_PLACE, "metadata"):
                setattr(image, name, attributes[name])
            if renamed:
                image.name, labels.name = attributes["name"], f"{facts_of(image).title}{rest}"
            put_pixels(image, counts)
