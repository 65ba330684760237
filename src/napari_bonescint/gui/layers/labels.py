"""Labels layers that hold a view's bones, each bound to the image that it came from.

A model's result goes in as one step of the layer's history, so one Undo takes it out. What models wrote is kept beside
the layer: pixels that differ from the nearest of these results were edited by a person. The last one alone would not
do, since Undo may have brought an older one back; nor would events, because an undo sounds like any other change.
"""

from __future__ import annotations

import weakref
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Labels
from napari.utils.colormaps import DirectLabelColormap, label_colormap

from napari_bonescint.anatomy import REGIONS, SKELETON_COLOUR
from napari_bonescint.gui.layers.scans import AID, KEY, put_pixels
from napari_bonescint.gui.placement import follow, lies_on, place_of, put_on

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari.layers import Image, Layer
    from numpy.typing import NDArray

    from napari_bonescint.segmentation import Segmentation

_UNKNOWN_COLOUR = "#ffffff"
_RESULTS_TO_KEEP = 8


@dataclass
class _Binding:
    image: weakref.ref[Image]
    names_regions: bool
    written: deque[NDArray[np.uint8]] = field(default_factory=lambda: deque(maxlen=_RESULTS_TO_KEEP))
    takes_results: bool = True
    holds_case: bool = False


# By layer and not by name or metadata: a duplicate of a layer is the user's own, and ends with nothing.
_BINDINGS: weakref.WeakKeyDictionary[Labels, _Binding] = weakref.WeakKeyDictionary()


def prepare_labels() -> None:
    """Have napari and vispy make what their first labels layer needs and later ones share, so that no click waits."""
    import pandas  # noqa: F401  # that of napari's features, which takes the longest

    label_colormap()
    with suppress(ImportError):  # where another vispy has them, the first layer takes a tenth of a second longer
        from vispy.visuals.line.dash_atlas import DashAtlas

        DashAtlas()


def labels_of(layers: Iterable[Layer], image: Image, *, names_regions: bool = True) -> Labels | None:
    """The labels layer for results on an image, if it is among `layers` and still fits the image.

    Region codes and bone alone have a layer each, because Undo brings back pixels and not the legend to read them by.
    """
    for labels in all_labels_of(layers, image):
        binding = _BINDINGS.get(labels)
        if binding is None or not binding.takes_results or binding.names_regions is not names_regions:
            continue
        if labels.data.shape == image.data.shape:
            return labels
    return None


def all_labels_of(layers: Iterable[Layer], image: Image) -> list[Labels]:
    """All labels layers of an image: those made for it, and those from elsewhere that lie exactly on it."""
    return [
        layer
        for layer in layers
        if isinstance(layer, Labels)
        and layer.metadata.get(KEY) != AID
        and (_BINDINGS[layer].image() is image if layer in _BINDINGS else lies_on(layer, image))
    ]


def image_of(labels: Labels) -> Image | None:
    """The image that a labels layer was made for; None if it comes from elsewhere, or if the image is gone."""
    binding = _BINDINGS.get(labels)
    return binding.image() if binding is not None else None


def was_drawn_on(labels: Labels) -> bool:
    """Whether there is something in a labels layer, or was and could come back by Undo or Redo."""
    return bool(np.any(labels.data) or labels._undo_history or labels._redo_history)


def holds_case(labels: Labels) -> bool:
    """Whether what is drawn on a labels layer is saved as the mask of a case, whose counts a label store keeps."""
    binding = _BINDINGS.get(labels)
    return binding is not None and binding.holds_case


def empty_labels(image: Image, *, names_regions: bool = True) -> Labels:
    """An empty labels layer over an image, bound to it, and ready to be drawn on.

    Parameters
    ----------
    image : Image
        The image; wherever it lies, now and later, the labels lie on it.
    names_regions : bool
        Whether labels are region codes, or 1 for bone.
    """
    labels = Labels(
        np.zeros(image.data.shape, np.uint8),
        name=f"{image.name} {'bones' if names_regions else 'skeleton'}",
        opacity=0.5,
        **place_of(image),
        **legend(names_regions),
    )
    follow(labels, image)
    _BINDINGS[labels] = _Binding(weakref.ref(image), names_regions)
    return labels


def release(labels: Labels) -> None:
    """Leave a layer to the user: no result goes into it any more."""
    _BINDINGS[labels].takes_results = False


def is_edited(labels: Labels) -> bool:
    """Whether a person drew something that a model's result would overwrite."""
    return not np.array_equal(labels.data, _unedited(labels))


def put_result(labels: Labels, segmentation: Segmentation, plane: int, *, keep_edits: bool = False) -> None:
    """Put a model's result for one view into its labels layer, as one undoable step.

    Parameters
    ----------
    labels : Labels
        A layer made by `empty_labels` for this kind of result.
    segmentation : Segmentation
        The model's result.
    plane : int
        Which view of it.
    keep_edits : bool
        Whether pixels that a person edited since the last result stay as they are.
    """
    masks = segmentation.skeleton if segmentation.regions is None else segmentation.regions
    result = masks[plane]
    changed = labels.data != result
    if keep_edits:
        changed &= labels.data == _unedited(labels)
    set_regions(labels, np.where(changed, result, labels.data))
    labels.refresh()  # data_setitem leaves the thumbnail as it was
    _BINDINGS[labels].written.append(result.copy())
    labels.metadata[KEY] = _origin(segmentation)


def set_regions(labels: Labels, regions: NDArray[np.uint8]) -> bool:
    """Make a labels layer hold a mask, as one step of its history of only what changes; false if nothing does."""
    where = np.nonzero(labels.data != regions)
    labels.data_setitem(where, regions[where])
    return bool(len(where[0]))


def masks_of(layers: Iterable[Labels]) -> NDArray[np.uint8]:
    """A copy of what labels layers hold, of shape (view, y, x)."""
    return np.stack([np.asarray(labels.data, np.uint8) for labels in layers])


def _unedited(labels: Labels) -> NDArray[np.uint8]:
    """What a labels layer held before a person edited it: of nothing and the results, that which it is nearest to."""
    candidates = [np.zeros_like(labels.data), *_BINDINGS[labels].written]
    return min(candidates, key=lambda candidate: np.count_nonzero(candidate != labels.data))


def legend(names_regions: bool) -> dict[str, Any]:
    """What a labels layer needs to show names and colours: of the regions, or of bone alone."""
    rows = [(r.code, r.label, r.colour) for r in REGIONS] if names_regions else [(0, "background", ""), (1, "bone", "")]
    colours: dict[int | None, Any] = {code: colour or SKELETON_COLOUR for code, _, colour in rows}
    return {
        "features": {"index": [code for code, _, _ in rows], "name": [name for _, name, _ in rows]},
        "colormap": DirectLabelColormap(color_dict={**colours, 0: "transparent", None: _UNKNOWN_COLOUR}),
    }


def show_instead(labels: Labels, mask: NDArray[np.uint8], *, names_regions: bool) -> None:
    """Have a labels layer show the mask of another case, as if it were new: unedited, and with nothing to undo.

    Parameters
    ----------
    labels : Labels
        A layer made by `empty_labels`, whose image shows the other scan already.
    mask : ndarray of uint8, shape (y, x)
        The mask.
    names_regions : bool
        Whether its numbers are region codes, or 1 for bone.
    """
    binding = _BINDINGS[labels]
    if binding.names_regions is not names_regions:
        for name, value in legend(names_regions).items():
            setattr(labels, name, value)
    image = binding.image()
    if image is not None:
        put_on(labels, image)
    put_pixels(labels, mask)
    labels._reset_history()
    written = deque([mask], maxlen=_RESULTS_TO_KEEP)
    _BINDINGS[labels] = _Binding(binding.image, names_regions, written, holds_case=True)


def _origin(segmentation: Segmentation) -> dict[str, str | float]:
    return {
        name: getattr(segmentation, name)
        for name in ("model", "model_sha256", "device", "device_reason", "backend", "seconds")
    }
