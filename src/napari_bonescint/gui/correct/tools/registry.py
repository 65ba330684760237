"""The correction tools: name, key, mouse gesture and function of each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.anatomy import REGIONS
from napari_bonescint.corrections.sides import patient_side
from napari_bonescint.corrections.tools.draw_outline import draw_outline
from napari_bonescint.corrections.tools.lasso import relabel_within
from napari_bonescint.corrections.tools.mirror import ALL_BONES, image_side_at, mirror_side, shows
from napari_bonescint.corrections.tools.outline import fill_holes, grow, shrink, smooth
from napari_bonescint.corrections.tools.pieces import add_piece, remove_bone, remove_piece
from napari_bonescint.corrections.tools.strokes import swept
from napari_bonescint.corrections.tools.trace_edge import BESIDE, REACH, SURE_REACH, trace_edge

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from napari_bonescint.corrections.tools.mirror import ImageSide
    from napari_bonescint.corrections.tools.smart_brush import SmartBrush
    from napari_bonescint.scan import View


class Gesture(Enum):
    """Mouse gesture of a tool."""

    NAPARI = "napari"
    """The gesture of a mode of napari's labels layers."""
    PAINT = "paint"
    """Press, drag, release; the mask changes during the drag."""
    LINE = "line"
    """Press, drag, release; a line is drawn, and the mask changes at the end."""
    LOOP = "loop"
    """As LINE, with the end joined to the beginning."""
    BOX = "box"
    """Press in one corner, release in the opposite one."""
    CLICK = "click"
    NONE = "none"
    """No gesture: the key or button changes the selected view at once."""


@dataclass(frozen=True)
class ToolInput:
    """The input of a tool.

    Attributes
    ----------
    regions : ndarray of uint8, shape (y, x)
        The present mask.
    counts : ndarray of shape (y, x)
        The view, as acquired.
    probability : ndarray of float32, shape (y, x), or None
        Probability of bone by the model.
    model_regions : ndarray of uint8, shape (y, x), or None
        The model's mask.
    path : ndarray of shape (n, 2)
        Path of the mouse, points (y, x) in pixels; a single point for a click or a key.
    code : int
        The chosen region.
    radius : float
        Radius of the brush in pixels.
    view : View
        The name of the view.
    brush : SmartBrush
        The smart brush over these counts, the same during a stroke.
    """

    regions: NDArray[np.uint8]
    counts: NDArray[np.generic]
    probability: NDArray[np.float32] | None
    model_regions: NDArray[np.uint8] | None
    path: NDArray[np.float64]
    code: int
    radius: float
    view: View
    brush: SmartBrush

    @property
    def point(self) -> tuple[int, int]:
        """The pixel under the mouse, or the nearest one of the view."""
        row, column = np.clip(np.rint(self.path[-1]).astype(int), 0, np.subtract(self.regions.shape, 1))
        return int(row), int(column)


@dataclass(frozen=True)
class Change:
    """The result of a tool.

    Attributes
    ----------
    regions : ndarray of uint8, shape (y, x)
        The new mask.
    sentence : str
        For the annotator; empty if the new mask says all.
    unreached : sequence of ndarray of shape (n, 2)
        Parts of the drawn line, points (y, x), at which the tool could not do its work.
    """

    regions: NDArray[np.uint8]
    sentence: str = ""
    unreached: Sequence[NDArray[np.float64]] = ()


@dataclass(frozen=True)
class Tool:
    """A tool of the toolbox.

    Attributes
    ----------
    name : str
        Name of the tool, and text of its button.
    key : str
        Key, in napari's notation.
    tip : str
        Tooltip.
    gesture : Gesture
    change : callable or None
        Makes the new mask, alone or as a `Change`; None for napari's own tools and for "Ask again".
    mode : str
        napari's mode of the labels layers while the tool is chosen.
    needs_region : bool
        Whether it does not work with background.
    needs_model : bool
        Whether it needs a model's mask.
    faces : callable or None
        Takes the chosen region, and gives another text for the button and another tooltip.
    """

    name: str
    key: str
    tip: str
    gesture: Gesture
    change: Callable[[ToolInput], NDArray[np.uint8] | Change] | None = None
    mode: str = "pan_zoom"
    needs_region: bool = False
    needs_model: bool = False
    faces: Callable[[int], tuple[str, str]] | None = None

    @property
    def shown_key(self) -> str:
        """The key as shown on the button."""
        return self.key.replace("Shift-", "⇧")

    def face(self, code: int) -> tuple[str, str]:
        """Text of the button and tooltip while a region is chosen."""
        return (self.name, self.tip) if self.faces is None else self.faces(code)

    def use(self, tool_input: ToolInput) -> Change:
        """Change a mask; without a function to do so, the mask stays."""
        done = tool_input.regions if self.change is None else self.change(tool_input)
        return done if isinstance(done, Change) else Change(done)


def _mirror(tool_input: ToolInput) -> Change:
    """Mirror the chosen region from the clicked side, or all bones if background is chosen."""
    good = image_side_at(tool_input.regions, tool_input.point)
    side, other = patient_side(tool_input.view, good), patient_side(tool_input.view, _OPPOSITE[good])
    codes = (tool_input.code,) if tool_input.code else ALL_BONES
    bone = REGIONS[tool_input.code].label
    # The first words count: napari shows no more of a long sentence until it is opened.
    if not shows(tool_input.regions, good, codes):
        missing = f"No {bone}" if tool_input.code else "No bone"
        sentence = f"{missing} on the patient's {side}, so nothing was mirrored; click the good side."
        return Change(tool_input.regions, sentence)
    mirrored = mirror_side(tool_input.regions, tool_input.counts, good, codes)
    if tool_input.code:
        return Change(mirrored, f"Patient's {side} {bone} mirrored to the {other}; other bones stay.")
    return Change(mirrored, f"All bones mirrored from the patient's {side} to the {other}: background (0) is chosen.")


def _face_of_mirror(code: int) -> tuple[str, str]:
    if not code:
        return "Mirror all", (
            "Click the good side: all its bones, mirrored, replace those of the other side in this view. To mirror one "
            "bone alone, choose its region first."
        )
    bone = REGIONS[code].label
    # The names of the spine would make the button wider than all others.
    short = f"{bone[0].upper()} spine" if bone.endswith(" spine") else bone
    return f"Mirror {short}", (
        f"Click the good side: the {bone} there, mirrored, replaces the {bone} of the other side in this view. Other "
        "bones stay. With background (0), all bones of the side are mirrored."
    )


def _trace(tool_input: ToolInput) -> Change:
    """Move the edge to the drawn line, and say where bone is too far from it."""
    traced = trace_edge(tool_input.regions, tool_input.path, tool_input.code)
    if not traced.unreached:
        return Change(traced.regions)
    sentence = (
        f"Too far from bone: the line that is still shown. Trace edge reaches {SURE_REACH:.0f} pixels, or {REACH:.0f} "
        f"if the line begins and ends at the edge; a band of {BESIDE:.0f} pixels was drawn. Use Outline there."
    )
    return Change(traced.regions, sentence, traced.unreached)


def _smart_brush(tool_input: ToolInput) -> Change:
    """Paint or erase, and say why nothing was to be painted or erased."""
    before, code = tool_input.regions, tool_input.code
    painted = tool_input.brush.paint(before, tool_input.path, tool_input.radius, code)
    if not np.array_equal(painted, before):
        return Change(painted)
    under = before[swept(tool_input.path, tool_input.radius, (before.shape[0], before.shape[1]))]
    if code and (under == code).any():
        return Change(painted, f"Nothing painted: all bone here is {REGIONS[code].label} already.")
    if code:
        return Change(painted, "Nothing painted: the counts here are not those of bone; the brush <P> paints anyway.")
    if not under.any():
        return Change(painted, "Nothing erased: the mask has no bone here.")
    return Change(painted, "Nothing erased: the counts here are those of bone; the eraser <E> erases anyway.")


def _as_model(tool_input: ToolInput) -> NDArray[np.uint8]:
    return tool_input.regions if tool_input.model_regions is None else tool_input.model_regions


_OPPOSITE: dict[ImageSide, ImageSide] = {"left": "right", "right": "left"}

MOVE = Tool("Move", "Z", "Move and zoom the image (napari's own tool).", Gesture.NAPARI)
ASK_AGAIN = Tool(
    "Ask again",
    "K",
    "Drag a box: inside it, the model's mask replaces yours, with the threshold of the slider below. Undo restores it.",
    Gesture.BOX,
    needs_model=True,
)

TOOLS: dict[str, tuple[Tool, ...]] = {
    "Draw": (
        Tool(
            "Smart brush",
            "S",
            "Drag: paints the region only where the counts are those of bone; with background (0) it erases only where "
            "they are not.",
            Gesture.PAINT,
            _smart_brush,
        ),
        Tool(
            "Trace edge",
            "T",
            f"Drag along the true edge of a bone: the edge moves to your line from up to {SURE_REACH:.0f} pixels away, "
            f"or {REACH:.0f} if your line begins and ends at the edge.",
            Gesture.LINE,
            _trace,
            needs_region=True,
        ),
        Tool(
            "Outline",
            "O",
            "Draw once around a bone: the inside becomes the region.",
            Gesture.LOOP,
            lambda s: draw_outline(s.regions, s.path, s.code),
        ),
        Tool(
            "Relabel",
            "R",
            "Draw around bone of another region: it becomes the chosen region; background stays.",
            Gesture.LOOP,
            lambda s: relabel_within(s.regions, s.path, s.code),
        ),
        Tool("Brush", "P", "napari's brush; [ and ] change its size.", Gesture.NAPARI, mode="paint"),
        Tool("Eraser", "E", "napari's eraser; [ and ] change its size.", Gesture.NAPARI, mode="erase"),
        Tool("Fill", "F", "napari's bucket: click a piece to make it the region.", Gesture.NAPARI, mode="fill"),
        Tool(
            "Polygon",
            "Shift-P",
            "napari's polygon: click its corners, then press Enter; Escape cancels.",
            Gesture.NAPARI,
            mode="polygon",
        ),
        MOVE,
    ),
    "Click": (
        Tool(
            "Add piece",
            "A",
            "Click background: similar pixels around it, by the model or the counts, become the region.",
            Gesture.CLICK,
            lambda s: add_piece(s.regions, s.counts, s.probability, s.point, s.code),
            needs_region=True,
        ),
        Tool(
            "Remove piece",
            "D",
            "Click a piece that is no bone: the connected piece is erased.",
            Gesture.CLICK,
            lambda s: remove_piece(s.regions, s.point),
        ),
        Tool(
            "Remove bone",
            "Shift-D",
            "Click a region: all of it is erased in this view.",
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
            "Click the good side: the chosen bone there, mirrored, replaces that of the other side.",
            Gesture.CLICK,
            _mirror,
            faces=_face_of_mirror,
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
            "Replace the mask of this view by the model's mask.",
            Gesture.NONE,
            _as_model,
            needs_model=True,
        ),
    ),
}
PICK_KEY = "Q"
