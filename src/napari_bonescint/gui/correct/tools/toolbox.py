"""The tab "Tools": buttons and keys for regions and tools."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from app_model.types import KeyCode, KeyMod
from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtWidgets import QGridLayout, QHBoxLayout, QSlider, QVBoxLayout, QWidget

from napari_bonescint.anatomy import REGIONS
from napari_bonescint.gui.correct.key_bindings import KeyBindings
from napari_bonescint.gui.correct.tools.mouse_handler import MouseHandler
from napari_bonescint.gui.correct.tools.registry import ASK_AGAIN, PICK_KEY, TOOLS, Gesture
from napari_bonescint.gui.correct.tools.rethreshold import Answer
from napari_bonescint.gui.correct.tools.status_hint import StatusHint, hint
from napari_bonescint.gui.correct.tools.tool_button import TOOL_STYLE, ToolButton
from napari_bonescint.gui.widgets.plain_label import PlainLabel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.viewer import Viewer

    from napari_bonescint.corrections.tools.rethreshold import Box
    from napari_bonescint.gui.correct.open_case import OpenCase

_COLUMNS = 4
_GAP = 4
_SECOND_DIGIT_MS = 1000
_LARGEST_BRUSH = 40
_SHORTEST_SLIDER = 60
_LOOSER, _STRICTER = ",", "."
_STEP_PERCENT = 5
_PROMPT = "Ask again: drag a box"
_BACKGROUND_COLOUR = "#707070"


class Toolbox(QWidget):
    """Choose a region and a tool, and correct masks.

    Keys work on the labels layers of the open scan and on the viewer. `set_case(None)` removes them; the panel must
    call it before it closes. Digits choose regions (1 and 3 within a second: region 13), so napari's own modes get
    letters and buttons here.
    """

    explained = Signal(str)
    """Emitted with the reason why a stroke of the smart brush changes nothing; empty once one does."""

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self._viewer = viewer
        self._keys = KeyBindings()
        self._explanation = ""
        self._answer: Answer | None = None
        self._is_giving = False
        self._hint = StatusHint(viewer)
        self.strokes = MouseHandler(
            viewer, on_choice=self._show_choice, on_box=self._ask_in_box, on_stroke=self._explain_stroke
        )
        self._digit_wait = QTimer(self)
        self._digit_wait.setSingleShot(True)
        self._digit_wait.setInterval(_SECOND_DIGIT_MS)
        self.region_buttons = {
            region.code: ToolButton(
                region.label,
                str(region.code),
                checkable=True,
                colour=region.colour if region.code else _BACKGROUND_COLOUR,
            )
            for region in REGIONS
        }
        self.tool_buttons = {
            tool.name: ToolButton(tool.name, tool.shown_key, tool.tip, checkable=tool.gesture is not Gesture.NONE)
            for tools in TOOLS.values()
            for tool in tools
        }
        self.brush = _slider(1, _LARGEST_BRUSH)
        self.threshold = _slider(1, 99)
        self.threshold.setValue(50)
        self._brush_label, self._threshold_label = PlainLabel(), PlainLabel(_PROMPT)
        self._lay_out()
        self._connect()
        self.set_case(None)

    def set_case(self, case: OpenCase | None) -> None:
        """Correct another scan; with None, remove keys, mouse callbacks and line from the viewer."""
        self._end_answer()
        if case is None:
            self._hint.remove()
        self.strokes.set_case(case)
        self.setEnabled(case is not None)
        owners = () if case is None else (*case.labels, self._viewer)
        self._keys.move_to(owners, self._bind_keys)

    def _lay_out(self) -> None:
        self.setStyleSheet(TOOL_STYLE)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addLayout(_grid(list(self.region_buttons.values())))
        layout.addSpacing(_GAP)
        # Without headings and new lines for each group, all tools are seen at once on a small screen.
        layout.addLayout(_grid([self.tool_buttons[tool.name] for tools in TOOLS.values() for tool in tools]))
        layout.addSpacing(_GAP)
        sliders = QHBoxLayout()
        for label, slider in ((self._brush_label, self.brush), (self._threshold_label, self.threshold)):
            sliders.addWidget(label)
            sliders.addWidget(slider, 1)
        layout.addLayout(sliders)
        layout.addStretch()
        self.brush.setToolTip("Diameter of the brushes, in pixels. Keys: [ and ]")
        self.threshold.setToolTip(
            "Threshold of the model's probability of bone in the box. Keys: comma (more bone) and full stop (less bone)"
        )

    def _connect(self) -> None:
        for code, button in self.region_buttons.items():
            button.clicked.connect(partial(self._choose_region, code))
        for tools in TOOLS.values():
            for tool in tools:
                self.tool_buttons[tool.name].clicked.connect(partial(self._take, tool.name))
        self.brush.valueChanged.connect(self.strokes.set_brush_size)
        self.threshold.valueChanged.connect(self._give_answer)

    def _bind_keys(self, owners: Sequence[Any]) -> None:
        for tools in TOOLS.values():
            for tool in tools:
                self._keys.bind(owners, tool.key, partial(self._take, tool.name))
        for digit in range(10):
            self._keys.bind(owners, str(digit), partial(self._type_digit, digit))
        self._keys.bind(owners, PICK_KEY, self.strokes.pick)
        self._keys.hold(owners, "Space", self.strokes.pause, self.strokes.resume)
        self._keys.bind(owners, _LOOSER, partial(self._step_threshold, -_STEP_PERCENT))
        self._keys.bind(owners, _STRICTER, partial(self._step_threshold, _STEP_PERCENT))
        self._keys.bind(owners, "Escape", self.strokes.cancel)
        # Labels layers have these keys already.
        behind = [owner for owner in owners if owner is self._viewer]
        self._keys.bind(behind, "[", partial(self._step_brush, -1))
        self._keys.bind(behind, "]", partial(self._step_brush, 1))
        self._keys.bind(behind, KeyMod.CtrlCmd | KeyCode.KeyZ, self._undo)
        self._keys.bind(behind, KeyMod.CtrlCmd | KeyMod.Shift | KeyCode.KeyZ, self._redo)

    def _take(self, name: str, _checked: bool = False) -> None:
        tool = next(tool for tools in TOOLS.values() for tool in tools if tool.name == name)
        self.strokes.take(tool)
        self._show_choice()

    def _explain_stroke(self, sentence: str) -> None:
        if sentence != self._explanation:
            self._explanation = sentence
            self.explained.emit(sentence)

    def _choose_region(self, code: int, _checked: bool = False) -> None:
        self.strokes.choose(code)

    def _type_digit(self, digit: int) -> None:
        two_digits = 10 + digit
        if self._digit_wait.isActive() and two_digits in self.region_buttons:
            self._digit_wait.stop()
            self.strokes.choose(two_digits)
            return
        self.strokes.choose(digit)
        if digit == 1:
            self._digit_wait.start()
        else:
            self._digit_wait.stop()

    def _ask_in_box(self, view: int, box: Box) -> None:
        if self.strokes.case is not None:
            self._forget_answer()
            self._answer = Answer(self.strokes.case, view, box)
            self.threshold.setEnabled(True)
            self._give_answer()
            for event in _changes(self._answer):
                event.connect(self._on_mask_change)

    def _give_answer(self) -> None:
        if self._answer is None:
            return
        percent = self.threshold.value()
        self._is_giving = True
        given = self._answer.give(percent / 100)
        self._is_giving = False
        if given:
            self._threshold_label.setText(f"Bone from {percent} %")
        else:
            self._end_answer()

    def _on_mask_change(self, _event: Any = None) -> None:
        """End the answer, and remove its box, as soon as the mask was edited or the answer undone."""
        if not self._is_giving and self._answer is not None and not self._answer.holds():
            self._end_answer()

    def _step_threshold(self, percent: int) -> None:
        self.threshold.setValue(self.threshold.value() + percent)

    def _step_brush(self, pixels: int) -> None:
        self.brush.setValue(self.brush.value() + pixels)

    def _undo(self) -> None:
        if (labels := self.strokes.active_labels) is not None:
            labels.undo()

    def _redo(self) -> None:
        if (labels := self.strokes.active_labels) is not None:
            labels.redo()

    def _end_answer(self) -> None:
        self._forget_answer()
        self.strokes.clear_line()

    def _forget_answer(self) -> None:
        if self._answer is not None:
            for event in _changes(self._answer):
                event.disconnect(self._on_mask_change)
        self._answer = None
        self.threshold.setEnabled(False)
        self._threshold_label.setText(_PROMPT)

    def _show_choice(self) -> None:
        """Show the chosen tool, region and brush size; another tool ends the answer to "Ask again"."""
        if self._answer is not None and self.strokes.tool is not ASK_AGAIN:
            self._end_answer()
        for code, region_button in self.region_buttons.items():
            region_button.setChecked(code == self.strokes.code)
        for tools in TOOLS.values():
            for tool in tools:
                button = self.tool_buttons[tool.name]
                button.show_text(*tool.face(self.strokes.code))
                if button.isCheckable():
                    button.setChecked(tool is self.strokes.tool)
        self.brush.blockSignals(True)
        self.brush.setValue(self.strokes.brush_size)
        self.brush.blockSignals(False)
        self._brush_label.setText(f"Brush {self.strokes.brush_size} px [ ]")
        if self.strokes.case is not None:
            self._hint.show(hint(self.strokes.tool))


def _changes(answer: Answer) -> tuple[Any, ...]:
    """The events of a layer whose mask has changed; Undo emits only the second."""
    return answer.labels.events.paint, answer.labels.events.set_data


def _slider(least: int, most: int) -> QSlider:
    slider = QSlider(Qt.Orientation.Horizontal)
    slider.setRange(least, most)
    slider.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    slider.setMinimumWidth(_SHORTEST_SLIDER)
    return slider


def _grid(buttons: list[ToolButton]) -> QGridLayout:
    grid = QGridLayout()
    grid.setSpacing(2)
    for number, button in enumerate(buttons):
        grid.addWidget(button, number // _COLUMNS, number % _COLUMNS)
    for column in range(_COLUMNS):
        grid.setColumnStretch(column, 1)
    return grid
