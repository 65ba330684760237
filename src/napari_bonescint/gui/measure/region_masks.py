"""The region masks of a scan, as their labels layers are now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Labels

from napari_bonescint.anatomy import REGIONS
from napari_bonescint.gui.layers.labels import all_labels_of, image_of, model_of, names_regions_of
from napari_bonescint.gui.layers.scans import AID, KEY, can_be_scan, group_by_scan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.layers import Image, Layer


def region_masks(layers: Any, images: Sequence[Image]) -> tuple[Labels, ...] | None:
    """The topmost labels layer with region codes on each view; None if a view has none, or none has bones.

    Parameters
    ----------
    layers : LayerList
    images : sequence of Image
        The views of one scan.
    """
    found = []
    for image in images:
        fitting = [labels for labels in all_labels_of(layers, image) if _has_regions(labels, image)]
        if not fitting:
            return None
        found.append(fitting[-1])
    return tuple(found) if any(labels.data.any() for labels in found) else None


def models_of(labels: Sequence[Labels]) -> dict[str, str]:
    """Names of the models that made masks, with the hashes of their weights."""
    return dict(model for each in labels if (model := model_of(each)) is not None)


def scans_in(layers: Any) -> list[tuple[Image, ...]]:
    """The views of each open scan."""
    return group_by_scan([layer for layer in layers if can_be_scan(layer)])


def scan_with(layers: Any, active: Layer | None) -> tuple[Image, ...] | None:
    """The views of the scan that a layer shows or lies on; None if there is none."""
    for images in scans_in(layers):
        if active in images or (isinstance(active, Labels) and image_of(active) in images):
            return images
        if active is not None and active.metadata.get(KEY) == AID:
            if any(active.name.startswith(image.name) for image in images):
                return images
        elif any(active is labels for image in images for labels in all_labels_of(layers, image)):
            return images
    return None


def _has_regions(labels: Labels, image: Image) -> bool:
    fits = labels.data.shape == image.data.shape and np.dtype(labels.dtype).kind in "ui"
    return fits and names_regions_of(labels) and int(labels.data.max(initial=0)) <= REGIONS[-1].code
