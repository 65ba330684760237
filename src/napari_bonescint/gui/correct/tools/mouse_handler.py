"""The chosen tool: turns a mouse gesture on a view into one undoable change of its labels.

Mouse callbacks are bound to the viewer, not to a layer, so that a tool works on the view under the mouse. The labels
layer of that view becomes active, so that napari's own tools and Ctrl+Z work on it, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.components._viewer_mouse_bindings import double_click_to_zoom
from napari.utils.notifications import show_info

from napari_bonescint.corrections.tools.smart_brush import SmartBrush
from napari_bonescint.gui.correct.tools.registry import MOVE, TOOLS, Gesture, Tool, ToolInput
from napari_bonescint.gui.layers.labels import set_regions
from napari_bonescint.gui.layers.overlays import Lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from napari.components import ViewerModel
    from napari.layers import Labels
    from numpy.typing import NDArray

    from napari_bonescint.corrections.tools.rethreshold import Box
    from napari_bonescint.gui.correct.open_case import OpenCase

_LINE_COLOUR = "#ff6a00"
_BRUSH_PIXELS = 8
_BY_MODE = {tool.mode: tool for tools in TOOLS.values() for tool in tools if tool.gesture is Gesture.NAPARI}


@dataclass(frozen=True, eq=False)
class _Stroke:
    """What stays the same during a stroke: the labels that are drawn on, their mask before, and the smart brush."""

    labels: Labels
    before: NDArray[np.uint8]
    brush: SmartBrush


class MouseHandler:
    """Keeps the chosen tool, region and brush size, and applies the tool to mouse gestures.

    Parameters
    ----------
    viewer : ViewerModel
    on_choice : callable
        Called when another tool, region or brush size is chosen, here or in napari's own controls.
    on_box : callable
        Called with the index of a view and the box that the tool "Ask again" has drawn.
    on_stroke : callable
        Called while a brush paints, with the reason why the stroke has changed nothing so far; empty if it has.

    Attributes
    ----------
    case : OpenCase or None
        The scan that is corrected.
    tool : Tool
        The chosen tool.
    code : int
        The chosen region; 0 for background.
    brush_size : int
        Diameter in pixels of napari's brush and of ours.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        *,
        on_choice: Callable[[], object],
        on_box: Callable[[int, Box], object],
        on_stroke: Callable[[str], object],
    ) -> None:
        self.case: OpenCase | None = None
        self.tool = MOVE
        self.code = 1
        self.brush_size = _BRUSH_PIXELS
        self._viewer = viewer
        self._on_choice = on_choice
        self._on_box = on_box
        self._on_stroke = on_stroke
        self._paused = False
        # None once the stroke ends or is cancelled.
        self._stroke: _Stroke | None = None
        self._line = Lines(viewer, "stroke", _LINE_COLOUR)
        self._lasting: list[NDArray[np.float64]] = []

    def set_case(self, case: OpenCase | None) -> None:
        """Work on another scan; with None, restore the viewer."""
        viewer = self._viewer
        before = [] if self.case is None else self.case.labels
        after = [] if case is None else case.labels
        for labels in before:
            if labels not in after:
                for event in self._events(labels):
                    event.disconnect(self._on_layer_choice)
                self._put_mode(labels, MOVE)
        if self.case is not None:
            if case is None:
                viewer.mouse_drag_callbacks.remove(self._on_drag)
                viewer.mouse_move_callbacks.remove(self._on_move)
                viewer.mouse_double_click_callbacks.remove(self._on_double_click)
                viewer.scene.camera.events.zoom.disconnect(self._on_zoom)
                self._line.remove()
        elif case is not None:
            viewer.mouse_drag_callbacks.append(self._on_drag)
            viewer.mouse_move_callbacks.append(self._on_move)
            viewer.mouse_double_click_callbacks.append(self._on_double_click)
            viewer.scene.camera.events.zoom.connect(self._on_zoom)
            self.code = int(after[0].selected_label)  # the user may have chosen a bone in the legend
        if case is not self.case:
            self.clear_line()
        self.case = case
        self._paused = False
        if case is not None:
            self._line.show()
        for labels in after:
            if labels not in before:
                for event in self._events(labels):
                    event.connect(self._on_layer_choice)
        self._choose()

    def take(self, tool: Tool) -> None:
        """Choose a tool; a tool without a mouse gesture is used at once."""
        if self.case is None or not self._is_usable(tool):
            return
        if tool.gesture is Gesture.NONE:
            view = self._active_view()
            self._change(self.case, view, tool, np.array([self.case.point(view, self._viewer.cursor.position)]))
            return
        if tool is not self.tool:
            self.clear_line()
        self.tool = tool
        self._choose()

    def clear_line(self) -> None:
        """Remove the box of "Ask again", or the rest of a line that a tool could not follow."""
        self._lasting = []
        self._line.clear()

    def choose(self, code: int) -> None:
        """Choose a region, or 0 for background."""
        self.code = code
        self._choose()

    def set_brush_size(self, pixels: int) -> None:
        """Change the diameter of the brush."""
        self.brush_size = pixels
        self._choose()

    def pick(self) -> None:
        """Choose the region under the mouse."""
        if self.case is None:
            return
        position = self._viewer.cursor.position
        view = self.case.view_at(position)
        if view is not None:
            self.choose(int(self.case.labels[view].data[self.case.pixel(view, position)]))

    def pause(self) -> None:
        """Let the mouse move the image until `resume`."""
        self._paused = True
        self._choose()

    def resume(self) -> None:
        """Continue with the chosen tool."""
        self._paused = False
        self._choose()

    def cancel(self) -> bool:
        """Drop the stroke that is being drawn, and restore the mask; returns False if there is none."""
        if self._stroke is None:
            return False
        stroke, self._stroke = self._stroke, None
        self._line.clear()
        if set_regions(stroke.labels, stroke.before):
            stroke.labels._staged_history = []  # what was drawn and removed again is no step of Undo
        return True

    @property
    def is_drawing(self) -> bool:
        """Whether a stroke is being drawn, and was not cancelled."""
        return self._stroke is not None

    @property
    def active_labels(self) -> Labels | None:
        """The labels of the view that was last under the mouse; None if no scan is open."""
        return None if self.case is None else self.case.labels[self._active_view()]

    def _is_usable(self, tool: Tool) -> bool:
        if tool.needs_region and self.code == 0:
            show_info(f"{tool.name}: choose a region first; it does not work with background (0).")
            return False
        if tool.needs_model and (self.case is None or self.case.model_regions is None or self.case.probability is None):
            show_info(f"{tool.name}: no model has segmented this scan.")
            return False
        return True

    def _active_view(self) -> int:
        """The view that was last under the mouse."""
        active = self._viewer.layers.selection.active
        labels = self.case.labels if self.case is not None else []
        return next((index for index, layer in enumerate(labels) if layer is active), 0)

    @staticmethod
    def _events(labels: Labels) -> tuple[Any, ...]:
        return labels.events.mode, labels.events.selected_label, labels.events.brush_size

    def _on_layer_choice(self, event: Any) -> None:
        """Take over a choice made in napari's own controls of a labels layer."""
        labels = event.source
        if event.type == "mode" and not self._paused:
            tool = _BY_MODE.get(str(labels.mode), self.tool)
            if tool is not self.tool:
                self.clear_line()
            self.tool = tool
        self.code = int(labels.selected_label)
        self.brush_size = int(labels.brush_size)
        self._choose()

    def _choose(self) -> None:
        """Apply the choice to all labels layers and report it."""
        tool = MOVE if self._paused else self.tool
        for labels in self.case.labels if self.case is not None else []:
            self._put_mode(labels, tool)
        self._let_double_click_zoom(tool.gesture is Gesture.NAPARI or self.case is None)
        self._on_choice()

    def _put_mode(self, labels: Labels, tool: Tool) -> None:
        blocked = [event.blocker(self._on_layer_choice) for event in self._events(labels)]
        with blocked[0], blocked[1], blocked[2]:
            labels.mode = tool.mode
            labels.selected_label = self.code
            labels.brush_size = self.brush_size
            if tool.gesture is Gesture.PAINT:
                labels.cursor = "circle"
            elif tool.gesture is not Gesture.NAPARI:
                labels.cursor = "cross"
            elif tool is MOVE:
                labels.cursor = "standard"

    def _let_double_click_zoom(self, zooms: bool) -> None:
        callbacks = self._viewer.mouse_double_click_callbacks
        if zooms and double_click_to_zoom not in callbacks:
            callbacks.insert(0, double_click_to_zoom)
        elif not zooms and double_click_to_zoom in callbacks:
            callbacks.remove(double_click_to_zoom)

    def _on_move(self, viewer: ViewerModel, event: Any) -> None:
        view = self.case.view_at(event.position) if self.case is not None else None
        if view is None or self.case is None:
            return
        labels = self.case.labels[view]
        if viewer.layers.selection.active is not labels and labels in viewer.layers:
            viewer.layers.selection.active = labels

    def _on_double_click(self, _viewer: ViewerModel, event: Any) -> None:
        # The second press of a double click arrives here, not as a press.
        view = self._view_for_stroke(event)
        if view is not None and self.case is not None and self.tool.gesture is Gesture.CLICK:
            event.handled = True
            self._change(self.case, view, self.tool, np.array([self.case.point(view, event.position)]))

    def _view_for_stroke(self, event: Any) -> int | None:
        """Index of the view in which a press starts a gesture of the chosen tool; None if it does not."""
        if self.case is None or self._paused or event.button != 1 or event.modifiers:
            return None
        if self.tool.gesture is Gesture.NAPARI or not self._is_usable(self.tool):
            return None
        return self.case.view_at(event.position)

    def _on_drag(self, _viewer: ViewerModel, event: Any) -> Iterator[None]:
        view, case, tool = self._view_for_stroke(event), self.case, self.tool
        if view is None or case is None:
            return
        # A handled event does not move the camera.
        event.handled = True
        self.clear_line()
        points = [case.point(view, event.position)]
        self._stroke = stroke = _stroke_on(case, view)
        with case.labels[view].block_history():
            if tool.gesture is Gesture.PAINT:
                self._change(case, view, tool, np.array(points), stroke)
            yield
            while event.type == "mouse_move":
                event.handled = True
                points.append(case.point(view, event.position))
                if not self.is_drawing:
                    pass  # cancelled; the button is still down
                elif tool.gesture is Gesture.PAINT:
                    self._change(case, view, tool, np.array(points), stroke)
                elif tool.gesture is not Gesture.CLICK:
                    self._line.draw(case.world(view, _shape_of(tool.gesture, np.array(points))))
                yield
            event.handled = True
            self._line.clear()
            is_cancelled, self._stroke = not self.is_drawing, None
            if self.case is not case or is_cancelled:
                return
            if tool.gesture is not Gesture.CLICK:
                points.append(case.point(view, event.position))
            if tool.gesture is not Gesture.BOX:
                self._change(case, view, tool, np.array(points), stroke)
        if tool.gesture is Gesture.BOX:
            box = _box_of(np.array(points))
            self._let_stay(case, view, [_outline_of(box)])
            self._on_box(view, box)

    def _let_stay(self, case: OpenCase, view: int, paths: Sequence[NDArray[np.float64]]) -> None:
        """Show lines, in pixels of a view, until `clear_line` or the next press."""
        self._lasting = [case.world(view, path) for path in paths]
        self._line.draw(*self._lasting)

    def _on_zoom(self, _event: Any) -> None:
        """Keep the lines equally thick on the screen."""
        if self._lasting:
            self._line.draw(*self._lasting)

    def _change(
        self,
        case: OpenCase,
        view: int,
        tool: Tool,
        path: NDArray[np.float64],
        stroke: _Stroke | None = None,
    ) -> None:
        if tool.change is None or (tool.gesture in (Gesture.LINE, Gesture.LOOP) and len(path) < 2):
            return
        stroke = _stroke_on(case, view) if stroke is None else stroke
        tool_input = ToolInput(
            stroke.before,
            case.images[view].data,
            None if case.probability is None else case.probability[view],
            None if case.model_regions is None else case.model_regions[view],
            path,
            self.code,
            self.brush_size / 2,
            case.view(view),
            stroke.brush,
        )
        change = tool.use(tool_input)
        set_regions(stroke.labels, change.regions)
        if tool.gesture is Gesture.PAINT:
            self._on_stroke(change.sentence)
        elif change.sentence:
            show_info(change.sentence)
        if change.unreached:
            self._let_stay(case, view, change.unreached)


def _stroke_on(case: OpenCase, view: int) -> _Stroke:
    labels = case.labels[view]
    return _Stroke(labels, labels.data.copy(), SmartBrush(case.images[view].data))


def _shape_of(gesture: Gesture, path: NDArray[np.float64]) -> NDArray[np.float64]:
    """The line that shows the gesture so far."""
    if gesture is Gesture.BOX:
        return _outline_of(_box_of(path))
    return np.concatenate([path, path[:1]]) if gesture is Gesture.LOOP else path


def _outline_of(box: Box) -> NDArray[np.float64]:
    """The border of a box, along the edges of its outer pixels."""
    y0, x0, y1, x1 = (edge - 0.5 for edge in box)
    return np.array([[y0, x0], [y0, x1], [y1, x1], [y1, x0], [y0, x0]])


def _box_of(path: NDArray[np.float64]) -> Box:
    corners = np.rint(path[[0, -1]]).astype(int)
    y0, x0 = corners.min(axis=0)
    y1, x1 = corners.max(axis=0) + 1
    return int(y0), int(x0), int(y1), int(x1)
