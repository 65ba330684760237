"""Labels layers with the bones of a view; each is bound to its image.

A model's result is one step of the layer's history, so one Undo removes it. The last results are kept beside the layer.
Pixels that differ from the most similar result were edited by a person. The very last result is not enough, because
Undo may have restored an older one; events are not enough, because napari sends the same event for Undo and for edits.
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
    from collections.abc import Callable, Iterable

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


# Keyed by layer, not by name or metadata, so that a copy made by the user is not bound.
_BINDINGS: weakref.WeakKeyDictionary[Labels, _Binding] = weakref.WeakKeyDictionary()


def prepare_labels() -> None:
    """Load what napari and vispy need for their first labels layer, so that no click waits for it."""
    import pandas  # noqa: F401  # for napari's features; takes the longest

    label_colormap()
    with suppress(ImportError):  # with another vispy, the first layer takes 0.1 s longer
        from vispy.visuals.line.dash_atlas import DashAtlas

        DashAtlas()


def labels_of(layers: Iterable[Layer], image: Image, *, names_regions: bool = True) -> Labels | None:
    """The labels layer for results on an image, if it is among `layers` and still fits the image.

    Region codes and plain bone have separate layers, because Undo restores pixels but not the legend.
    """
    for labels in all_labels_of(layers, image):
        binding = _BINDINGS.get(labels)
        if binding is None or not binding.takes_results or binding.names_regions is not names_regions:
            continue
        if labels.data.shape == image.data.shape:
            return labels
    return None


def all_labels_of(layers: Iterable[Layer], image: Image) -> list[Labels]:
    """All labels layers of an image: those made for it, and others that lie exactly on it."""
    return [
        layer
        for layer in layers
        if isinstance(layer, Labels)
        and layer.metadata.get(KEY) != AID
        and (_BINDINGS[layer].image() is image if layer in _BINDINGS else lies_on(layer, image))
    ]


def image_of(labels: Labels) -> Image | None:
    """The image that a labels layer was made for; None if there is none or it was removed."""
    binding = _BINDINGS.get(labels)
    return binding.image() if binding is not None else None


def is_bound(labels: Labels) -> bool:
    """Whether a labels layer was made for an image, by `empty_labels`."""
    return labels in _BINDINGS


def holds_case(labels: Labels) -> bool:
    """Whether a labels layer shows the mask of a case of a label store."""
    binding = _BINDINGS.get(labels)
    return binding is not None and binding.holds_case


def names_regions_of(labels: Labels) -> bool:
    """True if the labels of a layer are region codes, also by default; False if its legend says that 1 is bone."""
    return "bone" not in list(labels.features.get("name", ()))


def model_of(labels: Labels) -> tuple[str, str] | None:
    """Name of the model whose result was last put into a layer, and hash of its weights; None if there is none."""
    facts = labels.metadata.get(KEY)
    return (str(facts["model"]), str(facts["model_sha256"])) if isinstance(facts, dict) else None


def hold_case(labels: Labels) -> None:
    """Take note that a labels layer shows the mask of a case of a label store from now on."""
    if labels in _BINDINGS:
        _BINDINGS[labels].holds_case = True


def empty_labels(image: Image, *, names_regions: bool = True) -> Labels:
    """An empty labels layer that lies on an image and follows it.

    Parameters
    ----------
    image : Image
    names_regions : bool
        True for region codes, False for 1 as bone.
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
    """Put no more results into a layer, which is the user's from now on."""
    _BINDINGS[labels].takes_results = False


def is_edited(labels: Labels) -> bool:
    """Whether a person edited a layer, so that a new result would overwrite the edits."""
    return not np.array_equal(labels.data, unedited(labels))


def put_result(labels: Labels, segmentation: Segmentation, plane: int, *, keep_edits: bool = False) -> None:
    """Put a model's result for one view into its labels layer, as one undoable step.

    Parameters
    ----------
    labels : Labels
        A layer made by `empty_labels` for this kind of result.
    segmentation : Segmentation
        The model's result.
    plane : int
        Index of the view.
    keep_edits : bool
        True keeps the pixels that a person edited since the last result.
    """
    masks = segmentation.skeleton if segmentation.regions is None else segmentation.regions
    result = masks[plane]
    changed = labels.data != result
    if keep_edits:
        changed &= labels.data == unedited(labels)
    set_regions(labels, np.where(changed, result, labels.data))
    labels.refresh()  # data_setitem does not update the thumbnail
    _BINDINGS[labels].written.append(result.copy())
    labels.metadata[KEY] = _origin(segmentation)


def reorient_results(labels: Labels, move: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]) -> None:
    """Mirror or turn the results that a layer has had, so that they are still compared with its pixels."""
    binding = _BINDINGS.get(labels)
    if binding is not None:
        binding.written = deque(map(move, binding.written), maxlen=_RESULTS_TO_KEEP)


def set_regions(labels: Labels, regions: NDArray[np.uint8]) -> bool:
    """Put a mask into a labels layer as one undoable step; returns False if nothing changes."""
    where = np.nonzero(labels.data != regions)
    labels.data_setitem(where, regions[where])
    return bool(len(where[0]))


def masks_of(layers: Iterable[Labels]) -> NDArray[np.uint8]:
    """A copy of the masks in labels layers, of shape (view, y, x)."""
    return np.stack([np.asarray(labels.data, np.uint8) for labels in layers])


def unedited(labels: Labels) -> NDArray[np.uint8]:
    """The mask before a person edited it: the most similar one of an empty mask and the last results.

    For a layer that was not made by `empty_labels`, it is the present mask.
    """
    if labels not in _BINDINGS:
        return np.asarray(labels.data)
    candidates = [np.zeros_like(labels.data), *_BINDINGS[labels].written]
    return min(candidates, key=lambda candidate: np.count_nonzero(candidate != labels.data))


def legend(names_regions: bool) -> dict[str, Any]:
    """Names and colours for a labels layer: of the regions, or of plain bone."""
    rows = [(r.code, r.label, r.colour) for r in REGIONS] if names_regions else [(0, "background", ""), (1, "bone", "")]
    colours: dict[int | None, Any] = {code: colour or SKELETON_COLOUR for code, _, colour in rows}
    return {
        "features": {"index": [code for code, _, _ in rows], "name": [name for _, name, _ in rows]},
        "colormap": DirectLabelColormap(color_dict={**colours, 0: "transparent", None: _UNKNOWN_COLOUR}),
    }


def show_instead(labels: Labels, mask: NDArray[np.uint8], *, names_regions: bool) -> None:
    """Show the mask of another case in a labels layer, as unedited and without history.

    Parameters
    ----------
    labels : Labels
        A layer made by `empty_labels`; its image must show the other scan already.
    mask : ndarray of uint8, shape (y, x)
    names_regions : bool
        True for region codes, False for 1 as bone.
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
