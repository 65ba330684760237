"""Draw text on napari's canvas in turns of the event loop that are too short to be felt.

vispy draws every letter of a font large and makes it small when a text first needs it, 5 ms a letter. It searches the
shaders of each text for variables, too, 40 ms, nearly all of it in functions for huge letters. Private names of
napari that this needs are used here and in `drawing.py` alone.
"""

from __future__ import annotations

import time
import weakref
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from napari._vispy.overlays.scale_bar import VispyScaleBarOverlay
from napari._vispy.utils.visual import overlay_to_visual
from napari._vispy.visuals.text import Text
from napari.components.overlays import ScaleBarOverlay

from napari_bonescint.gui.layers.later import later

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from napari._vispy.utils.qt_font import FontInfo

# vispy needs these for the height of any line.
_OF_ANY_TEXT = "ÅÉÑŐjgpqy "
_PAUSE_MS, _STEP_S = 10, 0.004
# Letters of 50 pixels and more are smoothed by a function that comes with sixteen others.
_SHORT_SHADER = (
    Text._shaders["fragment"]
    .replace('#include "misc/spatial-filters.frag"', "")
    .replace("CatRom2D(u_font_atlas, u_font_atlas_shape, uv)", "texture2D(u_font_atlas, uv)")
)

_waiting: deque[weakref.WeakMethod[Callable[[], bool]]] = deque()


class ShortText(Text):  # type: ignore[misc]
    """Text of less than 50 screen pixels, whose shader is short."""

    _shaders = Text._shaders | {"fragment": _SHORT_SHADER}


def draw_in_turns(step: Callable[[], bool]) -> None:
    """Call a method in each of the next turns as long as it returns True, after those that came before.

    It ends when the method's object is no more.
    """
    _waiting.append(weakref.WeakMethod(step))
    if len(_waiting) == 1:
        later(_do_next, _PAUSE_MS)


def _do_next() -> None:
    step = _waiting[0]()
    if step is None or not step():
        _waiting.popleft()
    if _waiting:
        later(_do_next)


def letters_drawn(font_info: FontInfo, text: str) -> Iterator[None]:
    """Draw the letters that a text needs and the canvas has not, a few milliseconds of them in each step."""
    font, begun = font_info.font_manager.get_font(font_info.face), time.perf_counter()
    for letter in filter(str.isprintable, dict.fromkeys(_OF_ANY_TEXT + text)):
        font[letter]
        if time.perf_counter() - begun > _STEP_S:
            yield
            begun = time.perf_counter()


class _ScaleBarInTurns(VispyScaleBarOverlay):  # type: ignore[misc]
    """napari's scale bar, first its line, then its number and its box."""

    _is_whole = False

    def __init__(self, font_info: FontInfo, **kwargs: Any) -> None:
        super().__init__(font_info=font_info, **kwargs)
        text = self.node.text
        text.visible = False
        text.shared_program.frag = _SHORT_SHADER
        self._letters = letters_drawn(font_info, text.text)
        draw_in_turns(self._draw_next)

    def _draw_next(self) -> bool:
        for _ in self._letters:
            return True
        self.node.text.visible = self._is_whole = True
        self._on_box_change()
        return False

    def _on_box_change(self) -> None:
        if self._is_whole:
            super()._on_box_change()


@contextmanager
def scale_bar_in_turns() -> Iterator[None]:
    """A scale bar that napari first shows within this block gets its number a little later."""
    overlay_to_visual[ScaleBarOverlay] = _ScaleBarInTurns
    try:
        yield
    finally:
        overlay_to_visual[ScaleBarOverlay] = VispyScaleBarOverlay
