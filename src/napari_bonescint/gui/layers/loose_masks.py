"""Lay masks from files that state no pixel size on the view that has as many pixels.

napari's own writer and many other programs keep no pixel size, so such a mask would lie small in a corner of the scan.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Labels
from napari.utils.notifications import show_info

from napari_bonescint.anatomy import REGIONS
from napari_bonescint.gui.layers.labels import all_labels_of, image_of, legend
from napari_bonescint.gui.layers.scans import KEY, ViewFacts, can_be_scan, facts_of
from napari_bonescint.gui.placement import follow, is_unplaced, put_on

if TYPE_CHECKING:
    from napari.layers import Layer


def watch_masks(layers: Any) -> None:
    """From now on, lay each added mask without a pixel size on its view, whichever of them is opened first."""
    layers.events.inserted.connect(_on_inserted)  # napari ignores a second connection


def _on_inserted(event: Any) -> None:
    layers, added = event.source, event.value
    for layer in list(layers) if isinstance(added, Image) else [added]:
        if _is_loose(layer):
            _lay(layers, layer)


def _is_loose(layer: Layer) -> bool:
    """Whether a layer is a mask from a file, or was converted from an image, and nobody has placed it."""
    return (
        isinstance(layer, Labels)
        and layer.ndim == 2
        and (layer.source.path is not None or layer.source.parent is not None)
        and image_of(layer) is None
        and is_unplaced(layer)
    )


def _lay(layers: Any, labels: Labels) -> None:
    images = [
        layer
        for layer in reversed(layers)  # the scan that was opened last comes first
        if isinstance(layer.metadata.get(KEY), ViewFacts)
        and can_be_scan(layer)
        and layer.data.shape == labels.data.shape
    ]
    if not images or any(labels in all_labels_of(layers, image) for image in images):
        return
    named = [image for image in images if facts_of(image).view.name in labels.name.lower()]
    free = [image for image in images if not all_labels_of(layers, image)]
    image = (named or free or images)[0]
    put_on(labels, image)
    follow(labels, image)
    highest = int(np.max(labels.data, initial=0))
    if highest <= REGIONS[-1].code:
        for attribute, value in legend(highest > 1).items():
            setattr(labels, attribute, value)
        labels.opacity = 0.5
    show_info(f"{labels.name}: its file states no pixel size, so it was laid on {image.name}, which has its pixels.")
