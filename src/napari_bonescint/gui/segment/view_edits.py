"""What a user says about a view, whatever its file says: which view, how large its pixels, mirrored or not."""

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

# As we name images and their labels, and as napari numbers them.
_OUR_NAME = re.compile(r"(anterior|posterior)(?P<rest>( \[\d+\])?( (bones|skeleton|truth))?( \[\d+\])?)")


class ViewEditError(BonescintError):
    """An edit of a view that would tear it from its labels."""


def set_view(layers: Any, image: Image, name: ViewName) -> None:
    """Say that an image shows the anterior or the posterior view.

    The other view of a scan of two becomes the opposite one, and the two change places so that anterior is left. What
    the file says is overruled, which is recorded.

    Parameters
    ----------
    layers : LayerList
        The viewer's layers.
    image : Image
        The layer.
    name : ViewName
        What the user says.

    Raises
    ------
    ViewEditError
        If that overrules the file of a case whose labels are open: its store keeps the views under which it was added.
    """
    _adopt(layers, image)
    before = facts_of(image).view.name
    views = same_scan(layers, image)
    overruled = before is not name and facts_of(image).view.source in (ViewSource.FILE, ViewSource.OVERRULED)
    if overruled and any(holds_case(labels) for view in views for labels in all_labels_of(layers, view)):
        raise ViewEditError(
            f"{image.name}: its label store has it as {before}; add the scan to another store to say so."
        )
    said = {image: name}
    others = [other for other in views if other is not image]
    if len(views) == 2 and others:
        said[others[0]] = name.opposite
    renamed = [new for view, new_name in said.items() for new in _new_names(layers, view, new_name)]
    if before is not name and len(said) == 2:
        _swap_places(layers, *said)
    for view, new_name in said.items():
        _say(view, new_name)
    # All at once, or napari would number those whose new name another one still bears.
    for layer, new in renamed:
        layer.name = f"{new} …"
    for layer, new in renamed:
        layer.name = new
    mark_sides(layers, image)


def set_spacing(layers: Any, image: Image, mm: float) -> None:
    """Say how large the pixels of an image are, and of the other view of its scan.

    Parameters
    ----------
    layers : LayerList
        The viewer's layers.
    image : Image
        The layer.
    mm : float
        Side of a pixel in mm.

    Raises
    ------
    ViewEditError
        If no image of this size can have such pixels, or if one is sheared, so that its pixels are no squares.
    """
    if (why := spacing_problem((mm, mm), image.data.shape)) is not None:
        raise ViewEditError(f"{image.name}: A pixel spacing {why}; give the size of a pixel in mm.")
    _adopt(layers, image)
    views = same_scan(layers, image)
    sheared = [view.name for view in views if is_sheared(view)]
    if sheared:
        raise ViewEditError(f"{', '.join(sheared)}: take out the shear of the layer before giving its pixels a size.")
    for view in views:
        sides = pixel_sides(view)
        assert sides is not None  # noqa: S101  # it is not sheared
        # An affine may scale, too: what napari calls scale is then only a part of a pixel's size.
        scale = tuple(float(s) * mm / side for s, side in zip(view.scale, sides, strict=True))
        place = tuple(float(t) / side * mm for t, side in zip(view.translate, sides, strict=True))
        for layer in (view, *all_labels_of(layers, view)):
            layer.units = ("mm", "mm")
            layer.scale = scale
            layer.translate = place
    mark_sides(layers, image)


def flip(layers: Any, image: Image) -> None:
    """Mirror an image that its file shows the wrong way round, and record that; the letters beside it stay.

    Parameters
    ----------
    layers : LayerList
        The viewer's layers.
    image : Image
        The layer.

    Raises
    ------
    ViewEditError
        If there are labels on the image, which would then lie on the wrong side; empty ones, too, if what is drawn on
        them goes into a label store, which keeps the view as it was.
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
    """Note what an image of another reader shows, as far as is known, and mark its sides."""
    if KEY not in image.metadata:
        _record(image, facts_of(image))
        add_sides(layers, image)


def _say(image: Image, name: ViewName) -> None:
    facts = facts_of(image)
    _record(image, ViewFacts(facts.scan, facts.view.renamed(name), confirmed=True))


def _new_names(layers: Any, image: Image, view: ViewName) -> list[tuple[Layer, str]]:
    """New names of an image and its labels that show another view; names that a user gave stay."""
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
