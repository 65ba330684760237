"""Maps over the views of a scan: how the mask differs from the model's, and where the model was unsure. No Qt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
from napari.layers import Image, Labels
from napari.utils.colormaps import Colormap, DirectLabelColormap

from napari_bonescint.corrections.seeing import ADDED, RELABELLED, REMOVED, difference, uncertainty
from napari_bonescint.gui.own_layers import OwnLayer, place_of

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_bonescint.gui.open_case import OpenCase

_DIFFERENCE_COLOURS: dict[int | None, str] = {ADDED: "#00a651", REMOVED: "#e6007e", RELABELLED: "#ffb000"}
_UNSURE = (0.55, 0.0, 0.85)


class ViewMap(Protocol):
    """A map over the views of a scan, shown as soon as it is made."""

    def update(self) -> None:
        """Follow a change of the mask."""

    def remove(self) -> None:
        """Take the map out of the viewer."""


class DifferenceMap:
    """Pixels that differ from the model's mask, in colour, in each view.

    Parameters
    ----------
    viewer : ViewerModel
        The viewer.
    case : OpenCase
        A scan with a model's mask.
    """

    def __init__(self, viewer: ViewerModel, case: OpenCase) -> None:
        self._case = case
        colours: dict[int | None, str] = {None: "transparent", 0: "transparent", **_DIFFERENCE_COLOURS}
        self._maps = [
            OwnLayer(
                viewer,
                Labels(
                    np.zeros(image.data.shape, np.uint8),
                    name=f"{image.name} against model",
                    colormap=DirectLabelColormap(color_dict=colours),
                    opacity=0.8,
                    **place_of(image),
                ),
            )
            for image in case.images
        ]
        self.update()
        for layer in self._maps:
            layer.show()

    def update(self) -> None:
        """Follow a change of the mask."""
        if self._case.model_regions is None:
            return
        for labels, model, layer in zip(self._case.labels, self._case.model_regions, self._maps, strict=True):
            differs = difference(labels.data, model)
            if not np.array_equal(differs, layer.layer.data):
                layer.layer.data = differs

    def remove(self) -> None:
        """Take the map out of the viewer."""
        for layer in self._maps:
            layer.remove()


class UncertaintyMap:
    """How unsure the model was of each pixel, in each view.

    Parameters
    ----------
    viewer : ViewerModel
        The viewer.
    case : OpenCase
        A scan with a model's probability.
    """

    def __init__(self, viewer: ViewerModel, case: OpenCase) -> None:
        fading = Colormap([(*_UNSURE, 0.0), (*_UNSURE, 0.9)], name="unsure")
        planes = [] if case.probability is None else list(uncertainty(case.probability))
        self._maps = [
            OwnLayer(
                viewer,
                Image(
                    plane, name=f"{image.name} unsure", colormap=fading, contrast_limits=(0.0, 1.0), **place_of(image)
                ),
            )
            for image, plane in zip(case.images, planes, strict=False)
        ]
        for layer in self._maps:
            layer.show()

    def update(self) -> None:
        """The model's answer does not change with the mask."""

    def remove(self) -> None:
        """Take the map out of the viewer."""
        for layer in self._maps:
            layer.remove()
