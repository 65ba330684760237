"""The last result of a model for the scan in some image layers, with its probability, for the correcting tools."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.layers import Image

    from napari_bonescint.segmentation import Segmentation


class _Result(NamedTuple):
    segmentation: Segmentation
    plane: int
    pixels: Any  # of the image then; a mirrored image has others


_RESULTS: weakref.WeakKeyDictionary[Image, _Result] = weakref.WeakKeyDictionary()


def note_result(images: Sequence[Image], segmentation: Segmentation) -> None:
    """Remember the result for the views of a scan, in the order of its planes."""
    for plane, image in enumerate(images):
        _RESULTS[image] = _Result(segmentation, plane, image.data)


def result_of(images: Sequence[Image]) -> Segmentation | None:
    """The last result for the views of a scan; None if there is none, or if a view has changed since."""
    found = [_RESULTS.get(image) for image in images]
    first = found[0] if found else None
    if first is None:
        return None
    for plane, (result, image) in enumerate(zip(found, images, strict=True)):
        if result is None or result.segmentation is not first.segmentation:
            return None
        if result.plane != plane or result.pixels is not image.data:
            return None
    return first.segmentation if len(first.segmentation.skeleton) == len(images) else None
