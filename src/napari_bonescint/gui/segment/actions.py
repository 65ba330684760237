"""The buttons of notices: what the user can do about each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from napari_bonescint.gui.layers.scans import facts_of
from napari_bonescint.gui.segment.new_views import (
    join,
    open_upright,
    remove_shear,
    split_sides,
    split_stack,
    take_finest,
    take_grey,
)
from napari_bonescint.gui.segment.view_edits import confirm_views, flip, invert, set_view, turn
from napari_bonescint.notices import Remedy
from napari_bonescint.scan import ViewName

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from napari.layers import Image

    from napari_bonescint.gui.segment.notices import OpenNotice


class Action(NamedTuple):
    """A button: its text, and what it does with the viewer's layers; it may raise a `BonescintError`."""

    text: str
    run: Callable[[Any], Iterator[None] | None]
    """Does it at once; or returns the steps, between which the window may be drawn."""


# Remedies with one button for each image of the notice.
_OF_IMAGE: dict[Remedy, tuple[str, Callable[[Any, Image], Iterator[None] | None]]] = {
    Remedy.SPLIT_SIDES: ("Split into two views", split_sides),
    Remedy.TAKE_GREY: ("Take it as grey", take_grey),
    Remedy.TAKE_FINEST: ("Take the finest level", take_finest),
    Remedy.SPLIT_STACK: ("Make views of its frames", split_stack),
    Remedy.OPEN_UPRIGHT: ("Open it upright", open_upright),
    Remedy.STRAIGHTEN: ("Reset shear and rotation", remove_shear),
}


def actions_for(shown: OpenNotice) -> list[Action]:
    """The buttons of a notice; none if it only informs.

    `Remedy.SET_SPACING` has none here: the field for the pixel size is in the table of scans.
    """
    remedy, images = shown.notice.remedy, shown.images
    if remedy is None:
        return []
    if remedy is Remedy.NAME_VIEW:
        return _about_views(images)
    view = shown.notice.view
    about = [image for image in images if not view or facts_of(image).view.name == view]
    if remedy is Remedy.CHANGE_VIEW:
        return [
            Action(f"Change it to {opposite}", _on(image, set_view, opposite))
            for image in about
            for opposite in [facts_of(image).view.name.opposite]
        ]
    if remedy in (Remedy.MIRROR, Remedy.INVERT):
        verb, edit = ("Mirror", flip) if remedy is Remedy.MIRROR else ("Invert", invert)
        # The posterior view is the one that some exports mirror.
        return [Action(f"{verb} the {facts_of(i).view.name} view", _on(i, edit)) for i in reversed(about)]
    if remedy is Remedy.INVERT_BACK:
        return [Action("Invert it back", _on(image, invert)) for image in about]
    if remedy is Remedy.TURN_OVER:
        return [Action(f"Turn the {facts_of(image).view.name} view by 180°", _on(image, turn, 180)) for image in about]
    if remedy is Remedy.TURN_UP:  # of all views together
        sides = {"left": -90, "right": 90}
        return [Action(f"Turn it 90° to the {side}", _on(about[0], turn, by)) for side, by in sides.items()]
    if remedy is Remedy.TURN_BACK:
        return [Action("Turn it back", _on(image, turn, -facts_of(image).view.turned)) for image in about]
    if remedy is Remedy.JOIN:
        return [Action("Undo the split", _on(about[0], join))]
    if remedy in _OF_IMAGE:
        text, make = _OF_IMAGE[remedy]
        return [Action(text, _on(image, make)) for image in about]
    return []


def _about_views(images: tuple[Image, ...]) -> list[Action]:
    first = images[0]
    right = _on(first, confirm_views)
    if len(images) > 1:
        swap = _on(first, set_view, facts_of(first).view.name.opposite)
        return [Action("The views are right", right), Action("Swap the views", swap)]
    return [Action(f"It is {name}", _on(first, set_view, name)) for name in ViewName]


def _on(
    image: Image, edit: Callable[..., Iterator[None] | None], *arguments: Any
) -> Callable[[Any], Iterator[None] | None]:
    return lambda layers: edit(layers, image, *arguments)
