"""Marks beside a view and lines over the scene, which napari draws as overlays: they are no layers.

`drawing.py` draws them on the canvas. napari has no public way to put an overlay on a layer; its private name is used
here alone.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from napari.components.overlays import SceneOverlay
from napari.layers.base._base_constants import Blending

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image

Segment = tuple[float, float, float, float]
"""A line from (y, x) to (y, x) in world coordinates."""

_MARKS = "bonescint marks"
# A view that is narrower than this on the screen has no room for words.
_FEWEST_CHARACTERS = 6


class ViewMarks(SceneOverlay):  # type: ignore[misc]
    """The caption and the letters R and L above an image, in its pixels: they go with it when it is moved or turned.

    Attributes
    ----------
    title : str
        Name of the scan.
    view : str
        Name of the view.
    letters : (str, str)
        The patient's side at the left and at the right corner.
    size : (int, int)
        Rows and columns of the image.
    """

    title: str = ""
    view: str = ""
    letters: tuple[str, str] = ("", "")
    size: tuple[int, int] = (1, 1)
    visible: bool = True
    blending: Blending = Blending.TRANSLUCENT_NO_DEPTH


class SceneLines(SceneOverlay):  # type: ignore[misc]
    """Straight lines over all layers, equally wide at any zoom.

    Attributes
    ----------
    lines : tuple of (float, float, float, float)
        From (y, x) to (y, x) in world coordinates.
    colour : str
    """

    lines: tuple[Segment, ...] = ()
    colour: str = "#ffffff"
    visible: bool = True
    blending: Blending = Blending.TRANSLUCENT_NO_DEPTH


def put_marks(image: Image, marks: ViewMarks) -> None:
    """Put marks on an image, in place of those that it has."""
    image._overlays[_MARKS] = marks


def marks_of(image: Image) -> ViewMarks | None:
    """The marks of an image, if it has any."""
    marks: ViewMarks | None = image._overlays.get(_MARKS)
    return marks


def put_lines(viewer: ViewerModel, name: str, lines: SceneLines) -> None:
    """Draw lines over the scene; a name has one set of lines."""
    viewer.scene.overlays[name] = lines


def remove_lines(viewer: ViewerModel, name: str) -> None:
    """Draw the lines of a name no longer."""
    with suppress(KeyError):
        del viewer.scene.overlays[name]


def shortened(text: str, characters: int) -> str:
    """A text of at most `characters`, with an ellipsis in its middle if it is longer; empty if they are too few."""
    if len(text) <= characters:
        return text
    if characters < _FEWEST_CHARACTERS:
        return ""
    end = (characters - 1) // 2
    return f"{text[: characters - 1 - end]}…{text[len(text) - end :]}"


def shortened_view(view: str, characters: int) -> str:
    """``ant.`` or ``post.``; empty if it is longer than `characters`."""
    short = view.replace("erior", ".")
    return short if len(short) <= characters else ""
