"""Maps over the views of a scan: the difference of the mask from the model's, and the model's uncertainty."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Labels
from napari.utils.colormaps import Colormap, DirectLabelColormap

from napari_bonescint.corrections.store.difference_maps import ADDED, RELABELLED, REMOVED, difference, uncertainty
from napari_bonescint.gui.layers.overlays import OverlayLayer
from napari_bonescint.gui.placement import place_of, put_on

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer
    from numpy.typing import NDArray

    from napari_bonescint.gui.correct.open_case import OpenCase

_DIFFERENCE_COLOURS: dict[int | None, str] = {ADDED: "#00a651", REMOVED: "#e6007e", RELABELLED: "#ffb000"}
_UNSURE = (0.55, 0.0, 0.85)


class OverlayMap(ABC):
    """A map over each view of a scan; its layers are used again if they fit, because adding a layer is slow."""

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._layers: list[OverlayLayer] = []

    def show(self, case: OpenCase) -> None:
        """Show the map of a scan."""
        planes = self._planes(case)
        if [own.layer.data.shape for own in self._layers] != [plane.shape for plane in planes]:
            self.remove()
            # Without a model there are images and no planes.
            self._layers = [
                OverlayLayer(self._viewer, self._layer(image, plane))
                for image, plane in zip(case.images, planes, strict=False)
            ]
        for own, image, plane in zip(self._layers, case.images, planes, strict=False):
            put_on(own.layer, image)
            if not np.array_equal(own.layer.data, plane):
                own.layer.data = plane
            own.show()
            if not own.layer.visible:
                own.layer.visible = True

    def hide(self) -> None:
        """Hide the map; its layers stay in the viewer."""
        for own in self._layers:
            own.layer.visible = False

    def remove(self) -> None:
        """Remove the map from the viewer."""
        for own in self._layers:
            own.remove()
        self._layers = []

    @abstractmethod
    def _planes(self, case: OpenCase) -> list[NDArray[Any]]:
        """The pixels of the map for each view; empty if no model has segmented the scan."""

    @abstractmethod
    def _layer(self, image: Image, plane: NDArray[Any]) -> Layer: ...


class DifferenceMap(OverlayMap):
    """A coloured map of pixels that differ from the model's mask."""

    def _planes(self, case: OpenCase) -> list[NDArray[np.uint8]]:
        if case.model_regions is None:
            return []
        return [difference(labels.data, model) for labels, model in zip(case.labels, case.model_regions, strict=True)]

    def _layer(self, image: Image, plane: NDArray[np.uint8]) -> Layer:
        colours: dict[int | None, str] = {None: "transparent", 0: "transparent", **_DIFFERENCE_COLOURS}
        colormap = DirectLabelColormap(color_dict=colours)
        return Labels(plane, name=f"{image.name} against model", colormap=colormap, opacity=0.8, **place_of(image))


class UncertaintyMap(OverlayMap):
    """A map of the model's uncertainty at each pixel."""

    def _planes(self, case: OpenCase) -> list[NDArray[np.float32]]:
        return [] if case.probability is None else list(uncertainty(case.probability))

    def _layer(self, image: Image, plane: NDArray[np.float32]) -> Layer:
        fading = Colormap([(*_UNSURE, 0.0), (*_UNSURE, 0.9)], name="unsure")
        name = f"{image.name} unsure"
        return Image(plane, name=name, colormap=fading, contrast_limits=(0.0, 1.0), **place_of(image))
