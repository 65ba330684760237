"""Edits of a view by the user: name, pixel size, mirroring, turning, inverting. `layers` are the viewer's layers."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_bonescint.display import contrast_limits
from napari_bonescint.errors import BonescintError
from napari_bonescint.gui.layers.labels import all_labels_of, holds_case
from napari_bonescint.gui.layers.pictures import adopt
from napari_bonescint.gui.layers.reoriented_labels import reorient_labels
from napari_bonescint.gui.layers.scans import KEY, ViewFacts, facts_of, places_from, same_scan, spans_of, view_title
from napari_bonescint.gui.placement import is_sheared, pixel_sides
from napari_bonescint.scan import ViewName, ViewSource, spacing_problem
from napari_bonescint.scan_edits import inverted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from napari.layers import Image, Labels, Layer
    from numpy.typing import NDArray

# Names of images and labels made by this plugin after the scan's title, with napari's numbers.
_OUR_NAME = r" (anterior|posterior)(?P<rest>( \[\d+\])?( (bones|skeleton|truth))?( \[\d+\])?)"


class ViewEditError(BonescintError):
    """An edit is refused because the image or its labels do not allow it."""


def set_view(layers: Any, image: Image, name: ViewName) -> None:
    """Make an image the anterior or the posterior view, and record that the user chose it.

    In a scan of two views, the other view becomes the opposite one, and the two change places: anterior is left.

    Raises
    ------
    ViewEditError
        If this overrules the file of a case whose labels are open; its store keeps the views as added.
    """
    adopt(image)
    before = facts_of(image).view.name
    views = same_scan(layers, image)
    overruled = before is not name and facts_of(image).view.source in (ViewSource.FILE, ViewSource.OVERRULED)
    if overruled and any(holds_case(labels) for view in views for labels in all_labels_of(layers, view)):
        raise ViewEditError(
            f"{image.name}: the label store keeps this view as {before}; add the scan to another store to change it."
        )
    names = {image: name}
    others = [other for other in views if other is not image]
    if len(views) == 2 and others:
        names[others[0]] = name.opposite
    renamed = [new for view, new_name in names.items() for new in _new_names(layers, view, new_name)]
    if before is not name and len(names) == 2:
        _swap_places(layers, *names)
    for view, new_name in names.items():
        facts = facts_of(view)
        record(view, replace(facts, view=facts.view.renamed(new_name), confirmed=True))
    # In two rounds, since napari adds a number to a name that another layer still has.
    for layer, new in renamed:
        layer.name = f"{new} …"
    for layer, new in renamed:
        layer.name = new


def set_spacing(layers: Any, image: Image, mm: float) -> None:
    """Set the pixel size, in mm, of an image and of the other view of its scan.

    Raises
    ------
    ViewEditError
        If the size is impossible for this image, or a view is sheared.
    """
    if (why := spacing_problem((mm, mm), image.data.shape)) is not None:
        raise ViewEditError(f"{image.name}: A pixel spacing {why}; give the size of a pixel in mm.")
    adopt(image)
    views = same_scan(layers, image)
    sheared = [view.name for view in views if is_sheared(view)]
    if sheared:
        raise ViewEditError(f"{', '.join(sheared)}: set the shear of the layer to 0, then the pixel size.")
    for view in views:
        sides = pixel_sides(view)
        assert sides is not None  # noqa: S101  # it is not sheared
        # The affine may scale, too; napari's scale is then only a part of the pixel size.
        scale = tuple(float(s) * mm / side for s, side in zip(view.scale, sides, strict=True))
        place = tuple(float(t) / side * mm for t, side in zip(view.translate, sides, strict=True))
        for layer in (view, *all_labels_of(layers, view)):
            layer.units = ("mm", "mm")
            layer.scale = scale
            layer.translate = place


def flip(layers: Any, image: Image) -> None:
    """Mirror an image whose file shows it mirrored, with its labels, and record that; the letters R and L stay.

    Mirrored twice, everything is as before.

    Raises
    ------
    ViewEditError
        If the image has labels of a label store, which keeps the view as added.
    """
    on_it = all_labels_of(layers, image)
    _require_no_case(image, on_it, "mirror")
    adopt(image)
    facts = facts_of(image)
    _reorient(image, on_it, np.fliplr)
    record(image, replace(facts, view=facts.view.mirrored()))


def turn(layers: Any, image: Image, degrees: int) -> None:
    """Turn an image clockwise that shows the patient lying or upside down, with its labels, and record that.

    A turn by 90 degrees, to either side, turns the other view of the scan, too: both have the same size and lie beside
    each other.

    Parameters
    ----------
    layers : LayerList
    image : Image
    degrees : int
        A multiple of 90.

    Raises
    ------
    ViewEditError
        If a view has labels of a label store, which keeps it as added.
    """
    adopt(image)
    lies = degrees % 180 != 0
    views = same_scan(layers, image) if lies else [image]
    on_them = [all_labels_of(layers, view) for view in views]
    for view, on_it in zip(views, on_them, strict=True):
        _require_no_case(view, on_it, "turn")
    for view, on_it in zip(views, on_them, strict=True):
        facts = facts_of(view)
        _reorient(view, on_it, partial(np.rot90, k=-degrees // 90))
        if lies:
            for layer in (view, *on_it):
                layer.scale = tuple(view.scale[::-1]) if layer is view else tuple(view.scale)
        record(view, replace(facts, view=facts.view.turned_by(degrees)))
    if lies:
        _lay_side_by_side(layers, views, on_them)


def _reorient(image: Image, on_it: Iterable[Labels], move: Callable[[NDArray[Any]], NDArray[Any]]) -> None:
    image.data = move(np.asarray(image.data))
    for labels in on_it:
        reorient_labels(labels, move)


def _lay_side_by_side(layers: Any, views: Sequence[Image], on_them: Sequence[Iterable[Labels]]) -> None:
    """Lay views of another width than before beside each other and beside the other scans, in their order."""
    pairs = sorted(zip(views, on_them, strict=True), key=lambda pair: float(pair[0].translate[-1]))
    others = spans_of(layer for layer in layers if layer not in views)
    for (view, on_it), left in zip(pairs, places_from([view for view, _ in pairs], others), strict=True):
        for layer in (view, *on_it):
            layer.translate = (float(layer.translate[0]), left)


def invert(layers: Any, image: Image) -> None:
    """Invert an image that shows uptake dark, and record that; inverted twice, it is as before.

    Raises
    ------
    ViewEditError
        If the image has labels of a label store, which keeps the view as added.
    """
    _require_no_case(image, all_labels_of(layers, image), "invert")
    adopt(image)
    facts = facts_of(image)
    image.data = inverted(np.asarray(image.data))
    image.contrast_limits = contrast_limits(image.data)
    record(image, replace(facts, view=replace(facts.view, inverted=not facts.view.inverted)))


def confirm_views(layers: Any, image: Image) -> None:
    """Record that the user has found the views of a scan right."""
    set_view(layers, image, facts_of(image).view.name)


def _require_no_case(image: Image, on_it: Iterable[Labels], verb: str) -> None:
    if any(map(holds_case, on_it)):
        raise ViewEditError(
            f"{image.name}: the label store keeps this view and its masks as added; {verb} the view of the scan's file "
            "in the panel Segment skeleton, and add it to another store."
        )


def _new_names(layers: Any, image: Image, view: ViewName) -> list[tuple[Layer, str]]:
    """New names for an image and its labels; names given by the user stay."""
    title = facts_of(image).title
    ours = re.compile(re.escape(title) + _OUR_NAME)
    matches = [(layer, ours.fullmatch(layer.name)) for layer in (image, *all_labels_of(layers, image))]
    return [(layer, f"{view_title(title, view)}{match['rest']}") for layer, match in matches if match is not None]


def record(image: Image, facts: ViewFacts) -> None:
    """Record facts about an image."""
    image.metadata = {**image.metadata, KEY: facts}


def _swap_places(layers: Any, image: Image, other: Image) -> None:
    moves = [
        (layer, tuple(there.translate))
        for here, there in ((image, other), (other, image))
        for layer in (here, *all_labels_of(layers, here))
    ]
    for layer, place in moves:
        layer.translate = place
