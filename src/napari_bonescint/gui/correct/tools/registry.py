"""The tools with which masks are corrected: name, key, what the mouse does, and which function does the work."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.corrections.tools.draw_outline import draw_outline
from napari_bonescint.corrections.tools.lasso import relabel_within
from napari_bonescint.corrections.tools.mirror import midline, mirror_side
from napari_bonescint.corrections.tools.outline import fill_holes, grow, shrink, smooth
from napari_bonescint.corrections.tools.pieces import add_piece, remove_bone, remove_piece
from napari_bonescint.corrections.tools.smart_brush import smart_brush
from napari_bonescint.corrections.tools.trace_edge import trace_edge

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from napari_bonescint.corrections.tools.mirror import ImageSide


class Gesture(Enum):
    """What the mouse does with a tool."""

    NAPARI = "napari"
    """What napari's own mode of that name does; it is bound to the labels layer."""
    PAINT = "paint"
    """Press, drag, release; the mask follows."""
    LINE = "line"
    """Press, drag, release; a line follows, and the mask changes at the end."""
    LOOP = "loop"
    """As a line that ends where it began."""
    BOX = "box"
    """Press in one corner, release in the other."""
    CLICK = "click"
    NONE = "none"
    """The key or button does it at once, in the view that is selected."""


@dataclass(frozen=True)
class ToolInput:
    """What a tool is given.

    Attributes
    ----------
    regions : ndarray of uint8, shape (y, x)
        The mask before.
    counts : ndarray of shape (y, x)
        The view, as acquired.
    probability : ndarray of float32, shape (y, x), or None
        Of bone, as the model sees it.
    model_regions : ndarray of uint8, shape (y, x), or None
        What the model said.
    path : ndarray of shape (n, 2)
        Points (y, x) that the mouse went through, in pixels; for a click or a key the one where it is.
    code : int
        The region that is chosen.
    radius : float
        Of the brush in pixels.
    """

    regions: NDArray[np.uint8]
    counts: NDArray[np.generic]
    probability: NDArray[np.float32] | None
    model_regions: NDArray[np.uint8] | None
    path: NDArray[np.float64]
    code: int
    radius: float

    @property
    def point(self) -> tuple[int, int]:
        """The pixel where the mouse is, or the nearest of the view."""
        row, column = np.clip(np.rint(self.path[-1]).astype(int), 0, np.subtract(self.regions.shape, 1))
        return int(row), int(column)


@dataclass(frozen=True)
class Tool:
    """One button of the toolbox.

    Attributes
    ----------
    name : str
        On the button.
    key : str
        As napari writes keys.
    tip : str
        One sentence on what it does and how.
    gesture : Gesture
        What the mouse does.
    change : callable or None
        Makes the mask after of what it is given; None for what napari does itself and for what asks back.
    mode : str
        napari's mode of the labels layers meanwhile.
    needs_region : bool
        Whether it does nothing for background.
    needs_model : bool
        Whether it works on what a model said.
    """

    name: str
    key: str
    tip: str
    gesture: Gesture
    change: Callable[[ToolInput], NDArray[np.uint8]] | None = None
    mode: str = "pan_zoom"
    needs_region: bool = False
    needs_model: bool = False

    @property
    def shown_key(self) -> str:
        """The key as people read it."""
        return self.key.replace("Shift-", "⇧")


def _mirror_from_point(tool_input: ToolInput) -> NDArray[np.uint8]:
    row, _ = tool_input.point
    good: ImageSide = "left" if tool_input.path[-1, 1] < midline(tool_input.regions)[row] else "right"
    return mirror_side(tool_input.regions, tool_input.counts, good)


def _as_model(tool_input: ToolInput) -> NDArray[np.uint8]:
    return tool_input.regions if tool_input.model_regions is None else tool_input.model_regions


MOVE = Tool("Move", "Z", "Move and zoom the picture (napari's own).", Gesture.NAPARI)
ASK_AGAIN = Tool(
    "Ask again",
    "K",
    "Drag a box: the model answers again inside it, as strictly as the slider below says. One undo takes it back.",
    Gesture.BOX,
    needs_model=True,
)

TOOLS: dict[str, tuple[Tool, ...]] = {
    "Draw": (
        Tool(
            "Smart brush",
            "S",
            "Drag: paints the region only where there is bone signal; with background (0) it erases only where there "
            "is none.",
            Gesture.PAINT,
            lambda s: smart_brush(s.regions, s.counts, s.path, s.radius, s.code),
        ),
        Tool(
            "Trace edge",
            "T",
            "Drag along the true edge of the region: it moves there.",
            Gesture.LINE,
            lambda s: trace_edge(s.regions, s.path, s.code),
            needs_region=True,
        ),
        Tool(
            "Outline",
            "O",
            "Drag once around: what is inside becomes the region.",
            Gesture.LOOP,
            lambda s: draw_outline(s.regions, s.path, s.code),
        ),
        Tool(
            "Relabel",
            "R",
            "Drag a lasso around bone of another region: it becomes the chosen one; background stays.",
            Gesture.LOOP,
            lambda s: relabel_within(s.regions, s.path, s.code),
        ),
        Tool("Brush", "P", "napari's brush; [ and ] change its size.", Gesture.NAPARI, mode="paint"),
        Tool("Eraser", "E", "napari's eraser; [ and ] change its size.", Gesture.NAPARI, mode="erase"),
        Tool("Fill", "F", "napari's bucket: click a piece and it becomes the region.", Gesture.NAPARI, mode="fill"),
        Tool(
            "Polygon",
            "Shift-P",
            "napari's polygon: click its corners, then Enter; Escape gives it up.",
            Gesture.NAPARI,
            mode="polygon",
        ),
        MOVE,
    ),
    "Click": (
        Tool(
            "Add piece",
            "A",
            "Click background: what looks alike there, to the model or by its counts, becomes the region.",
            Gesture.CLICK,
            lambda s: add_piece(s.regions, s.counts, s.probability, s.point, s.code),
            needs_region=True,
        ),
        Tool(
            "Remove piece",
            "D",
            "Click a piece that is no bone: it goes, as far as it hangs together.",
            Gesture.CLICK,
            lambda s: remove_piece(s.regions, s.point),
        ),
        Tool(
            "Remove bone",
            "Shift-D",
            "Click a region: all of it goes in this view.",
            Gesture.CLICK,
            lambda s: remove_bone(s.regions, int(s.regions[s.point])),
        ),
    ),
    "Region": (
        Tool(
            "Grow",
            "G",
            "The chosen region becomes a pixel wider.",
            Gesture.NONE,
            lambda s: grow(s.regions, s.code),
            needs_region=True,
        ),
        Tool(
            "Shrink",
            "Shift-G",
            "The chosen region becomes a pixel narrower.",
            Gesture.NONE,
            lambda s: shrink(s.regions, s.code),
            needs_region=True,
        ),
        Tool(
            "Smooth",
            "U",
            "The edge of the chosen region becomes smoother.",
            Gesture.NONE,
            lambda s: smooth(s.regions, s.code),
            needs_region=True,
        ),
        Tool(
            "Fill holes",
            "H",
            "Holes in the chosen region are closed.",
            Gesture.NONE,
            lambda s: fill_holes(s.regions, s.code),
            needs_region=True,
        ),
        Tool(
            "Mirror side",
            "M",
            "Click the good side: its mirror image replaces the other one.",
            Gesture.CLICK,
            _mirror_from_point,
        ),
        Tool(
            "Clear view",
            "Shift-C",
            "Start this view from an empty mask.",
            Gesture.NONE,
            lambda s: np.zeros_like(s.regions),
        ),
    ),
    "Model": (
        ASK_AGAIN,
        Tool(
            "Model's view",
            "Shift-K",
            "Take the model's mask for this view as it was.",
            Gesture.NONE,
            _as_model,
            needs_model=True,
        ),
    ),
}
PICK_KEY = "Q"
