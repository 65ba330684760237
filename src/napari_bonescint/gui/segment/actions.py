"""The buttons of notices: what the user can do about each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from napari_bonescint.gui.layers.scans import facts_of
from napari_bonescint.gui.segment.new_views import (
    open_upright,
    remove_shear,
    split_sides,
    split_stack,
    take_finest,
    take_grey,
)
from napari_bonescint.gui.segment.view_edits import confirm_views, flip, invert, set_view
from napari_bonescint.notices import Remedy
from napari_bonescint.scan import ViewName

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Image

    from napari_bonescint.gui.segment.notices import OpenNotice


class Action(NamedTuple):
    """A button: its text, and what it does with the viewer's layers; it may raise a `BonescintError`."""

    text: str
    run: Callable[[Any], None]


# Remedies with one button for each image of the notice.
_OF_IMAGE: dict[Remedy, tuple[str, Callable[[Any, Image], None]]] = {
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


def _on(image: Image, edit: Callable[..., None], *arguments: Any) -> Callable[[Any], None]:
    return lambda layers: edit(layers, image, *arguments)
