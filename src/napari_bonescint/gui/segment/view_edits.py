"""Edits of a view by the user: its name, its pixel size, and mirroring. `layers` are the viewer's layers."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_bonescint.errors import BonescintError
from napari_bonescint.gui.layers.labels import all_labels_of, holds_case, was_drawn_on
from napari_bonescint.gui.layers.scans import KEY, ViewFacts, add_sides, facts_of, mark_sides, same_scan
from napari_bonescint.gui.placement import is_sheared, pixel_sides
from napari_bonescint.scan import ViewName, ViewSource, spacing_problem

if TYPE_CHECKING:
    from napari.layers import Image, Layer

# Names of images and labels made by this plugin, with napari's numbers.
_OUR_NAME = re.compile(r"(anterior|posterior)(?P<rest>( \[\d+\])?( (bones|skeleton|truth))?( \[\d+\])?)")


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
    _adopt(layers, image)
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
        _record(view, ViewFacts(facts.scan, facts.view.renamed(new_name), confirmed=True))
    # In two rounds, since napari adds a number to a name that another layer still has.
    for layer, new in renamed:
        layer.name = f"{new} …"
    for layer, new in renamed:
        layer.name = new
    mark_sides(layers, image)


def set_spacing(layers: Any, image: Image, mm: float) -> None:
    """Set the pixel size, in mm, of an image and of the other view of its scan.

    Raises
    ------
    ViewEditError
        If the size is impossible for this image, or a view is sheared.
    """
    if (why := spacing_problem((mm, mm), image.data.shape)) is not None:
        raise ViewEditError(f"{image.name}: A pixel spacing {why}; give the size of a pixel in mm.")
    _adopt(layers, image)
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
    mark_sides(layers, image)


def flip(layers: Any, image: Image) -> None:
    """Mirror an image whose file shows it mirrored, and record that; the letters R and L stay.

    Raises
    ------
    ViewEditError
        If labels were drawn on the image, or if it has labels of a label store, which keeps the view as added.
    """
    on_it = all_labels_of(layers, image)
    drawn_on = [labels.name for labels in on_it if was_drawn_on(labels) or holds_case(labels)]
    if drawn_on:
        raise ViewEditError(f"{image.name}: remove its labels ({', '.join(drawn_on)}) before mirroring the image.")
    _adopt(layers, image)
    facts = facts_of(image)
    image.data = np.asarray(image.data)[:, ::-1]
    _record(image, replace(facts, view=replace(facts.view, flipped=not facts.view.flipped)))


def _adopt(layers: Any, image: Image) -> None:
    """Record the facts of an image from another reader, and add its letters R and L."""
    if KEY not in image.metadata:
        _record(image, facts_of(image))
        add_sides(layers, image)


def _new_names(layers: Any, image: Image, view: ViewName) -> list[tuple[Layer, str]]:
    """New names for an image and its labels; names given by the user stay."""
    matches = [(layer, _OUR_NAME.fullmatch(layer.name)) for layer in (image, *all_labels_of(layers, image))]
    return [(layer, f"{view}{match['rest']}") for layer, match in matches if match is not None]


def _record(image: Image, facts: ViewFacts) -> None:
    image.metadata = {**image.metadata, KEY: facts}


def _swap_places(layers: Any, image: Image, other: Image) -> None:
    moves = [
        (layer, tuple(there.translate))
        for here, there in ((image, other), (other, image))
        for layer in (here, *all_labels_of(layers, here))
    ]
    for layer, place in moves:
        layer.translate = place
