"""Marks beside a view and lines over the scene, which napari draws as overlays: they are no layers.

`drawing.py` draws them on the canvas. napari has no public way to put an overlay on a layer; its private name is used
here alone.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari.components.overlays import SceneOverlay
from napari.layers.base._base_constants import Blending

if TYPE_CHECKING:
    import numpy as np
    from napari.components import ViewerModel
    from napari.layers import Image
    from numpy.typing import NDArray

Segment = tuple[float, float, float, float]
"""A line from (y, x) to (y, x) in world coordinates."""

_MARKS, _SPECK = "bonescint marks", "bonescint speck"
ALL_PARTS = 3
ELLIPSIS = "…"
# A view that is narrower than this on the screen has no room for words.
_FEWEST_CHARACTERS = 6
# From the edge of a view to a letter, relative to the view's width on the screen.
_LETTER_INSIDE = 0.08


class ViewMarks(SceneOverlay):  # type: ignore[misc]
    """The caption and the letters R and L beside an image: they go with it when it is moved or turned.

    Attributes
    ----------
    title : str
        Name of the scan.
    view : str
        Name of the view.
    letters : (str, str)
        The patient's side at the left and at the right corner.
    parts : int
        How many of the caption and the two letters are drawn. If some are not, the canvas draws them in later turns.
    """

    title: str = ""
    view: str = ""
    letters: tuple[str, str] = ("", "")
    parts: int = ALL_PARTS
    visible: bool = True
    blending: Blending = Blending.TRANSLUCENT_NO_DEPTH


@dataclass(frozen=True)
class Places:
    """Where the marks of an image lie in world coordinates, so that none lies on it, however it is turned.

    Attributes
    ----------
    caption : (float, float)
        Middle (y, x) of the caption's lower edge.
    width : float
        Width of the image on the screen.
    letters : ((float, float), (float, float))
        Places (y, x) of the letters at the image's left and right side.
    below : (bool, bool)
        Whether a letter is written below its place, not above.
    """

    caption: tuple[float, float]
    width: float
    letters: tuple[tuple[float, float], tuple[float, float]]
    below: tuple[bool, bool]


def places_beside(corners: NDArray[np.float64]) -> Places:
    """The places of marks above an image, and for the lower letter of a lying one below it.

    Parameters
    ----------
    corners : ndarray of shape (4, [y, x])
        World coordinates, as of `placement.corners`.
    """
    (top, left), (bottom, right) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    width = right - left
    start, end = left + _LETTER_INSIDE * width, right - _LETTER_INSIDE * width
    along_y, along_x = (corners[1] - corners[0]).tolist()
    lies = abs(along_y) > abs(along_x)
    letters, below = ((top, start), (bottom, start) if lies else (top, end)), (False, lies)
    if (along_y if lies else along_x) < 0:
        letters, below = letters[::-1], below[::-1]
    return Places((top, (left + right) / 2), width, letters, below)


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


class Speck(SceneOverlay):  # type: ignore[misc]
    """Nothing that can be seen, drawn by a program of its own beside the images.

    In Mesa's software renderer, napari 0.9.2 crashes if an image goes that was drawn beside nothing but images, and the
    contrast of another one is changed.
    """

    visible: bool = True


def put_speck(viewer: ViewerModel) -> None:
    """Draw a `Speck` beside all that a viewer draws."""
    viewer.scene.overlays[_SPECK] = Speck()


def put_marks(image: Image, marks: ViewMarks) -> None:
    """Put marks on an image, in place of those that it has."""
    image._overlays[_MARKS] = marks


def marks_of(image: Image) -> ViewMarks | None:
    """The marks of an image, if it has any."""
    marks: ViewMarks | None = image._overlays.get(_MARKS)
    return marks


def put_lines(viewer: ViewerModel, name: str, lines: SceneLines) -> None:
    """Draw lines over the scene; a name has one set of lines."""
    if viewer.scene.overlays.get(name) is not lines:  # napari looks at all overlays again
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
    return f"{text[: characters - 1 - end]}{ELLIPSIS}{text[len(text) - end :]}"


def shortened_view(view: str, characters: int) -> str:
    """``ant.`` or ``post.``; empty if it is longer than `characters`."""
    short = view.replace("erior", ".")
    return short if len(short) <= characters else ""
