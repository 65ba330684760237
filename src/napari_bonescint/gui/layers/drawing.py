"""Draw `ViewMarks`, `SceneLines` and `Speck` on napari's canvas, once this module is imported.

napari has no public way to teach its canvas a new kind of overlay; its private names that do so are used here and in
`letters.py` alone.
The canvas needs Qt, so `overlays.teach_canvas` imports this module only where there is one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari._vispy.overlays.base import LayerOverlayMixin, ViewerOverlayMixin, VispySceneOverlay
from napari._vispy.utils.visual import overlay_to_visual
from napari.utils.events import disconnect_events
from napari.utils.theme import get_theme
from vispy.gloo import VertexBuffer
from vispy.scene.visuals import Compound, Mesh, create_visual_node
from vispy.visuals import Visual

from napari_bonescint.gui.layers.letters import ShortText, draw_in_turns, letters_drawn
from napari_bonescint.gui.layers.marks import (
    ALL_PARTS,
    ELLIPSIS,
    SceneLines,
    Speck,
    ViewMarks,
    places_beside,
    shortened,
    shortened_view,
)
from napari_bonescint.gui.placement import corners

if TYPE_CHECKING:
    from napari._vispy.utils.qt_font import FontInfo
    from numpy.typing import NDArray

_CAPTION_POINTS, _LETTER_POINTS = 9, 13
# On a dark and on a light canvas; the contrast of the letters is 8.5 and 5.6.
_LETTER_COLOURS = ("#f08c00", "#a35200")
_TEXT_COLOURS = ("#e8e8e8", "#303030")
# What moves or turns an image.
_PLACINGS = ("scale", "translate", "rotate", "shear", "affine")
# In screen pixels at any zoom.
_LINE_WIDTH = 2.5


def strips(lines: NDArray[np.float64], width: float) -> tuple[NDArray[np.float64], NDArray[np.uint32]]:
    """Vertices (n, [x, y]) and triangles of lines (n, [y, x, y, x]) of a width; OpenGL draws no wide lines itself."""
    starts, ends = lines[:, 1::-1], lines[:, :1:-1]
    along = ends - starts
    length = np.hypot(*along.T)[:, np.newaxis]
    along = np.divide(along, length, out=np.zeros_like(along), where=length > 0) * width / 2
    across = along[:, ::-1] * (-1, 1)
    # Half a width longer at each end, so that the corners of a path are closed.
    starts, ends = starts - along, ends + along
    vertices = np.stack([starts - across, starts + across, ends + across, ends - across], axis=1).reshape(-1, 2)
    first = 4 * np.arange(len(lines), dtype=np.uint32)[:, np.newaxis]
    two = np.array([(0, 1, 2), (0, 2, 3)], np.uint32)
    return vertices, np.concatenate([first + triangle for triangle in two])


class _VispyViewMarks(LayerOverlayMixin, VispySceneOverlay):  # type: ignore[misc]
    """Text of `ViewMarks` on the canvas, upright; a caption that is wider than its view on the screen is shortened."""

    def __init__(self, font_info: FontInfo, **kwargs: Any) -> None:
        self._caption = ShortText(font_size=_CAPTION_POINTS, font_info=font_info)
        self._measured = "", 0.0  # a caption and its width
        self._caption.anchors = ("center", "top")  # the text is above
        self._letters = [ShortText(font_size=_LETTER_POINTS, font_info=font_info) for _ in range(2)]
        super().__init__(node=Compound([self._caption, *self._letters]), font_info=font_info, **kwargs)
        for placing in _PLACINGS:
            self.layer.events[placing].connect(self._place)
        self.viewer.scene.camera.events.zoom.connect(self._fit_caption)
        self.viewer.events.theme.connect(self._take_colours)
        self.overlay.events.parts.connect(self._show_parts)
        self.reset()
        if self.overlay.parts < ALL_PARTS:
            words = "".join((self.overlay.title, self.overlay.view, *self.overlay.letters, ELLIPSIS))
            self._missing = letters_drawn(font_info, words)
            draw_in_turns(self._draw_next)

    def reset(self) -> None:
        super().reset()
        for text, letter in zip(self._letters, self.overlay.letters, strict=True):
            text.text = letter or " "
        self._show_parts()
        self._take_colours()
        self._place()

    def close(self) -> None:
        disconnect_events(self.viewer.scene.camera.events, self)
        self.overlay.events.parts.disconnect(self._show_parts)
        super().close()

    def _draw_next(self) -> bool:
        """Draw letters, or else one part more; return whether there is more to draw."""
        for _ in self._missing:
            return True
        self.overlay.parts += 1
        return bool(self.overlay.parts < ALL_PARTS)

    def _show_parts(self) -> None:
        shown = ("caption", *self.overlay.letters)
        for number, (text, is_shown) in enumerate(zip((self._caption, *self._letters), shown, strict=True)):
            text.visible = bool(is_shown) and number < self.overlay.parts

    def _take_colours(self) -> None:
        background = get_theme(self.viewer.theme).canvas.as_rgb_tuple()
        is_light = sum(background[:3]) > 3 * 127
        for text in self._letters:
            text.color = _LETTER_COLOURS[is_light]
        self._caption.color = _TEXT_COLOURS[is_light]

    def _place(self) -> None:
        places = places_beside(corners(self.layer))
        self._caption.pos = self._pixel(places.caption)
        for text, place, is_below in zip(self._letters, places.letters, places.below, strict=True):
            text.pos = self._pixel(place)
            text.anchors = ("center", "bottom" if is_below else "top")
        self._fit_caption()

    def _pixel(self, place: tuple[float, float]) -> tuple[float, float, float]:
        """The place (x, y, z) in the image's pixels of a place (y, x) in the world."""
        y, x = self.layer.world_to_data(place)
        return float(x), float(y), 0.0

    def _fit_caption(self) -> None:
        room = places_beside(corners(self.layer)).width * self.viewer.scene.camera.zoom
        title, view = self.overlay.title, self.overlay.view
        whole = f"{title}\n{view}"
        if whole != self._measured[0]:  # measuring a text is slow, and this follows each step of the zoom
            self._caption.text = whole
            self._measured = whole, self._caption.get_width_height()[0]
        _, wide = self._measured
        if wide > room:
            fits = int(max(len(title), len(view)) * room / wide)
            view = view if len(view) <= fits else shortened_view(view, fits)
            whole = f"{shortened(title, fits)}\n{view}"
        if self._caption.text != whole:
            self._caption.text = whole


class _VispySceneLines(ViewerOverlayMixin, VispySceneOverlay):  # type: ignore[misc]
    """Lines of `SceneLines` on the canvas."""

    def __init__(self, **kwargs: Any) -> None:
        self._mesh = Mesh(np.zeros((3, 2), np.float32), np.zeros((1, 3), np.uint32))
        super().__init__(node=Compound([self._mesh]), **kwargs)
        self.overlay.events.lines.connect(self._draw)
        self.viewer.scene.camera.events.zoom.connect(self._draw)
        self.reset()

    def reset(self) -> None:
        super().reset()
        self._draw()

    def close(self) -> None:
        disconnect_events(self.viewer.scene.camera.events, self)
        self.overlay.events.lines.disconnect(self._draw)
        super().close()

    def _draw(self) -> None:
        self._mesh.visible = bool(self.overlay.lines)
        if self.overlay.lines:
            width = _LINE_WIDTH / self.viewer.scene.camera.zoom
            vertices, triangles = strips(np.array(self.overlay.lines, np.float64), width)
            self._mesh.set_data(vertices.astype(np.float32), triangles, color=self.overlay.colour)


class _SpeckVisual(Visual):  # type: ignore[misc]
    """A triangle without an area: the shortest program of OpenGL, whose first drawing takes 6 ms."""

    def __init__(self) -> None:
        super().__init__(
            vcode="attribute vec2 place; void main() { gl_Position = vec4(place, 0.0, 1.0); }",
            fcode="void main() { gl_FragColor = vec4(0.0); }",
        )
        self.shared_program["place"] = VertexBuffer(np.zeros((3, 2), np.float32))
        self._draw_mode = "triangles"
        self.freeze()

    @staticmethod
    def _prepare_transforms(_view: Any) -> None:
        """It lies nowhere in the scene."""


_SpeckNode = create_visual_node(_SpeckVisual)


class _VispySpeck(ViewerOverlayMixin, VispySceneOverlay):  # type: ignore[misc]
    """The triangle of `Speck` on the canvas."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(node=_SpeckNode(), **kwargs)
        self.reset()


overlay_to_visual.update({ViewMarks: _VispyViewMarks, SceneLines: _VispySceneLines, Speck: _VispySpeck})
