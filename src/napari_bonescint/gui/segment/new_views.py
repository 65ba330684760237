"""Make views of an image that cannot be segmented as it is: one of two bodies, a stack, or one in colour.

`layers` are the viewer's layers. The new ones replace the image, and name its file as their source, so that DICOM SEG
finds it. napari takes 0.1 s and more for each layer, so most functions do one step for each: they refuse before the
first step, and the window may be drawn in between.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
from napari.layers import Image, Labels, Layer
from napari.layers._source import layer_source

from napari_bonescint.display import contrast_limits
from napari_bonescint.formats.opening import open_scan
from napari_bonescint.formats.pictures.raster import one_channel
from napari_bonescint.gui.layers.labels import all_labels_of, holds_case, is_bound, is_edited
from napari_bonescint.gui.layers.scans import (
    KEY,
    OUR_READER,
    ViewFacts,
    facts_of,
    same_scan,
    scans_to_layers,
    spacing_of,
    spans_of,
)
from napari_bonescint.gui.layers.titles import titles_of
from napari_bonescint.gui.placement import place_of, straighten
from napari_bonescint.gui.segment.view_edits import ViewEditError
from napari_bonescint.scan import VIEW_ASSUMED, VIEWS_ASSUMED, Scan, View, ViewName, ViewSource, spacing_problem
from napari_bonescint.scan_edits import split_side_by_side

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from numpy.typing import NDArray

    from napari_bonescint.scan import Spacing

_MOST_FRAMES = 16


@dataclass(frozen=True, eq=False)
class _Split:
    """What `join` needs: the image before it was split, and its labels."""

    image: Image
    labels: tuple[Labels, ...]
    cuts: WeakKeyDictionary[Labels, NDArray[np.generic]]
    """The labels of the halves, as they were cut."""


_SPLITS: WeakKeyDictionary[Image, _Split] = WeakKeyDictionary()


def was_split(image: Image) -> bool:
    """Whether an image is a half that `split_sides` made."""
    return image in _SPLITS


def split_sides(layers: Any, image: Image) -> Iterator[None]:
    """Split an image with two bodies into an anterior view (left half) and a posterior view (right half).

    Labels that a person drew are cut, too. A model's mask of the whole image is removed. `join` undoes it.

    Raises
    ------
    BonescintError
        If the scan has two views already, is too narrow, or is a case of a label store.
    """
    if len(same_scan(layers, image)) > 1:
        raise ViewEditError(f"{image.name}: The scan has two views already; only one image can be split.")
    on_it = all_labels_of(layers, image)
    if any(map(holds_case, on_it)):
        raise ViewEditError(f"{image.name}: the label store keeps this image as added, so it cannot be split here.")
    facts = facts_of(image)
    counts = np.asarray(image.data)
    whole = replace(facts.scan, counts=counts[np.newaxis], views=(facts.view,), spacing=spacing_of(image))
    scan = split_side_by_side(whole)
    drawn = [labels for labels in on_it if not is_bound(labels) or is_edited(labels)]
    for labels in on_it:
        layers.remove(labels)
        yield
    views = yield from _replace_by_scans(layers, image, [scan])
    width = scan.counts.shape[2]
    split = _Split(image, tuple(on_it), WeakKeyDictionary())
    _SPLITS.update(dict.fromkeys(views, split))
    for labels in drawn:
        pixels = np.asarray(labels.data)
        for view, half in zip(views, (pixels[:, :width], pixels[:, -width:]), strict=True):
            cut = _cut(labels, half, view)
            split.cuts[cut] = half
            layers.append(cut)
            yield


def join(layers: Any, view: Image) -> Iterator[None]:
    """Undo `split_sides`: put the image back in place of its halves, with the labels that it had.

    Raises
    ------
    ViewEditError
        If labels of a half were edited since, or belong to a case of a label store.
    """
    split = _SPLITS[view]
    halves = [layer for layer in layers if isinstance(layer, Image) and _SPLITS.get(layer) is split]
    on_them = [labels for half in halves for labels in all_labels_of(layers, half)]
    for labels in on_them:
        if holds_case(labels):
            raise ViewEditError(f"{labels.name}: belongs to a case of a label store, so the split cannot be undone.")
        as_cut = split.cuts.get(labels)
        if is_edited(labels) if as_cut is None else not np.array_equal(labels.data, as_cut):
            raise ViewEditError(f"{labels.name}: has edits, which would be lost; remove this layer first.")
    for layer in (*on_them, *halves):
        layers.remove(layer)
        yield
    for layer in (split.image, *split.labels):
        layers.append(layer)
        yield
    layers.selection.active = split.image


def split_stack(layers: Any, image: Image) -> Iterator[None]:
    """Make views of the frames of an image; two frames become one scan, anterior first.

    Raises
    ------
    ViewEditError
        If there are too many frames.
    """
    pixels = np.asarray(image.data)
    frames = pixels.reshape(-1, *pixels.shape[-2:])
    if len(frames) > _MOST_FRAMES:
        raise ViewEditError(
            f"{image.name}: has {len(frames)} frames, so it is no scan of one or two views; save the views alone."
        )
    spacing = _spacing(image)
    if len(frames) == 2:
        views = tuple(View(name, ViewSource.ASSUMED) for name in ViewName)
        scans = [Scan(frames, views, spacing, warnings=(VIEWS_ASSUMED,))]
    else:
        view = View(ViewName.ANTERIOR, ViewSource.ASSUMED)
        scans = [Scan(frame[np.newaxis], (view,), spacing, warnings=(VIEW_ASSUMED,)) for frame in frames]
    yield from _replace_by_scans(layers, image, scans)


def take_grey(layers: Any, image: Image) -> None:
    """Replace an image in colour, or with opacity, by one channel, if it shows only greys.

    Raises
    ------
    NotAPlanarScan
        If it shows colours, or is partly transparent.
    """
    plane, _ = one_channel(Path(image.name), np.asarray(image.data))
    _replace_by_plane(layers, image, plane)


def take_finest(layers: Any, image: Image) -> None:
    """Replace a multiscale image by its finest level."""
    _replace_by_plane(layers, image, np.asarray(image.data[0]))


def open_upright(layers: Any, image: Image) -> Iterator[None]:
    """Open the file of a picture again, turned as the file says; its labels stay where they are.

    Raises
    ------
    BonescintError
        If the file cannot be read as a scan.
    """
    yield from _replace_by_scans(layers, image, [open_scan(Path(str(image.source.path)))], OUR_READER)


def remove_shear(_layers: Any, image: Image) -> None:
    """Reset shear, rotation and affine of an image; its labels follow."""
    straighten(image)


def _replace_by_scans(
    layers: Any, image: Image, scans: Sequence[Scan], reader: str | None = None
) -> Generator[None, None, list[Image]]:
    """Put the views of scans in place of an image; `reader` opened them, or else the one that opened the image."""
    own, path = image.metadata.get(KEY), image.source.path
    title = own.title if isinstance(own, ViewFacts) else image.name
    others = [layer for layer in layers if layer is not image]
    named = [each if each.sources or path is None else replace(each, sources=(Path(path),)) for each in scans]
    titles = titles_of(named, others, [title] * len(named))
    with layer_source(path=path, reader_plugin=reader or image.source.reader_plugin):
        new = [Layer.create(*data) for data in scans_to_layers(named, spans_of(others), titles=titles)]
    layers.remove(image)
    yield
    for layer in new:
        layers.append(layer)
        yield
    views = [layer for layer in new if isinstance(layer, Image)]
    layers.selection.active = views[0]
    return views


def _replace_by_plane(layers: Any, image: Image, plane: NDArray[np.generic]) -> None:
    """Put a plane (y, x) in the place of an image of more dimensions or of colours."""
    first = 0 if image.rgb or image.multiscale or plane.shape == image.data.shape[:2] else image.ndim - 2
    axes = slice(first, first + 2)
    with layer_source(path=image.source.path, reader_plugin=image.source.reader_plugin):
        new = Image(
            plane,
            name=image.name,
            scale=image.scale[axes],
            translate=image.translate[axes],
            units=image.units[axes],
            axis_labels=image.axis_labels[axes],
            colormap="gray_r",
            contrast_limits=contrast_limits(plane),
        )
    at = layers.index(image)
    layers.remove(image)
    layers.insert(at, new)
    layers.selection.active = new


def _cut(labels: Labels, half: NDArray[np.generic], view: Image) -> Labels:
    return Labels(
        half.copy(),
        name=labels.name,
        opacity=labels.opacity,
        features=labels.features,
        colormap=labels.colormap,
        **place_of(view),
    )


def _spacing(image: Image) -> Spacing | None:
    """Spacing (y, x) in mm of the frames of an image; None if it is not known or impossible."""
    if not all(unit.is_compatible_with("mm") for unit in image.units[-2:]):
        return None
    y, x = (
        float((1 * unit).to("mm").magnitude) * abs(float(side))
        for unit, side in zip(image.units[-2:], image.scale[-2:], strict=True)
    )
    return None if spacing_problem((y, x), image.data.shape[-2:]) else (y, x)
