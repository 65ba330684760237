"""Pictures of scans (PNG, TIFF) that napari's own readers opened: they get the record and the place of a scan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari.layers import Image, Labels

from napari_bonescint.gui.layers.scans import (
    KEY,
    OUR_READER,
    PICTURES,
    ViewFacts,
    can_be_scan,
    facts_of,
    first_free,
    span_of,
    spans_of,
)
from napari_bonescint.gui.placement import is_placed, lies_on

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari.layers import Layer


def is_picture(layer: Layer) -> bool:
    """Whether a layer is a picture of a file, opened by another reader, that can be a view of a scan."""
    return (
        isinstance(layer, Image)
        and KEY not in layer.metadata
        and layer.source.reader_plugin not in (None, OUR_READER)
        and str(layer.source.path).lower().endswith(PICTURES)
        and can_be_scan(layer)
    )


def adopt(image: Image) -> ViewFacts:
    """Record the scan and the view that an image from another reader shows, and return them."""
    facts = facts_of(image)
    if KEY not in image.metadata:
        image.metadata = {**image.metadata, KEY: facts}
    return facts


def place_beside(layers: Iterable[Layer], image: Image) -> bool:
    """Move an image to the right of the open views, unless the user has placed it or drawn on it; True if it moved."""
    others = [layer for layer in layers if layer is not image]
    if is_placed(image) or any(isinstance(layer, Labels) and lies_on(layer, image) for layer in others):
        return False
    left = first_free([span_of(image)], spans_of(others))
    if left:
        image.translate = (0.0, left)
    return bool(left)
