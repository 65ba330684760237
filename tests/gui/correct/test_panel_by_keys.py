"""Keys work from the moment at which a case is chosen, whatever the mouse did in the panel, and not while one types."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from gui.correct.correcting import Hand
from gui.correct.correcting_panel import case_of, draw, is_open, key_of, masks
from napari_bonescint.gui.correct.tools.registry import TOOLS, Gesture
from napari_bonescint.gui.correct.work_list.model import ITEM

if TYPE_CHECKING:
    from napari import Viewer
    from pytestqt.qtbot import QtBot
    from qtpy.QtWidgets import QWidget

    from napari_bonescint.corrections.store.label_store import LabelStore
    from napari_bonescint.gui.correct.panel import CorrectWidget

ALL = [tool for tools in TOOLS.values() for tool in tools]
SHIFT, NOTHING = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.NoModifier


@pytest.fixture
def panel(panel: CorrectWidget, qtbot: QtBot) -> CorrectWidget:
    """The first case is open, and nothing else has the keyboard than the window."""
    panel.window().activateWindow()
    qtbot.waitUntil(panel.isActiveWindow)
    return panel


@pytest.fixture
def canvas(viewer: Viewer) -> QWidget:
    return viewer.window._qt_viewer.canvas.native


def press(key: str) -> None:
    """Press a key where the keyboard is."""
    focus = QApplication.focusWidget()
    assert focus is not None
    name = key.removeprefix("Shift-")
    code = {",": Qt.Key.Key_Comma, ".": Qt.Key.Key_Period}.get(name) or getattr(Qt.Key, f"Key_{name}")
    QTest.keyClick(focus, code, SHIFT if key.startswith("Shift-") else NOTHING)


def click(widget: QWidget, place: QPoint | None = None) -> None:
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton, NOTHING, place or widget.rect().center())


def test_keys_work_in_a_store_that_was_opened_after_the_name_was_typed(
    panel: CorrectWidget, canvas: QWidget, store: LabelStore
) -> None:
    click(panel.saving.name)
    panel.saving.name.setFocus()
    panel.opener.store_chosen.emit(store.folder)
    assert canvas.hasFocus()


@pytest.mark.parametrize("active", ["labels", "image", "other labels", "none"])
def test_each_key_takes_its_tool_whichever_layer_is_active(
    viewer: Viewer, panel: CorrectWidget, canvas: QWidget, active: str
) -> None:
    labels = case_of(panel).labels
    layers = {
        "labels": labels[0],
        "image": next(layer for layer in viewer.layers if layer.data.shape == labels[0].data.shape),
        "other labels": viewer.add_labels(np.zeros((5, 5), np.uint8), name="own"),
        "none": None,
    }
    viewer.layers.selection.active = layers[active]
    canvas.setFocus()
    press("3")
    for tool in ALL:
        draw(viewer, 3)
        steps = len(labels[0]._undo_history)
        press(tool.key)
        if tool.gesture is Gesture.NONE:
            changed = len(labels[0]._undo_history) - steps
            assert changed == 1 or tool.name == "Fill holes", tool.name
        else:
            assert panel.toolbox.strokes.tool is tool
            assert panel.toolbox.tool_buttons[tool.name].isChecked()
        viewer.layers.selection.active = layers[active]
    before = panel.toolbox.threshold.value()
    press(",")
    assert panel.toolbox.threshold.value() == before - 5
    press(".")
    assert panel.toolbox.threshold.value() == before
    size = panel.toolbox.brush.value()
    press("BracketRight")
    assert panel.toolbox.brush.value() == size + 1
    drawn = labels[0].data.copy()
    QTest.keyClick(canvas, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert (labels[0].data != drawn).any() or active == "none"


def test_the_keyboard_comes_back_to_the_image_after_every_use_of_the_panel(
    viewer: Viewer, panel: CorrectWidget, canvas: QWidget, store: LabelStore, qtbot: QtBot
) -> None:
    first, row = key_of(panel), panel.list.view.visualRect(panel.list.model.index(1)).center()
    panel.saving.comment.setFocus()
    click(panel.list.view.viewport(), row)
    qtbot.waitUntil(lambda: is_open(panel) and key_of(panel) != first)
    assert canvas.hasFocus()
    press("S")
    assert panel.toolbox.strokes.tool.name == "Smart brush"
    for button in (
        panel.toolbox.tool_buttons["Outline"],
        panel.toolbox.region_buttons[7],
        panel.list.previous_button,
    ):
        panel.saving.comment.setFocus()
        click(button)
        assert canvas.hasFocus(), button.objectName()
    qtbot.waitUntil(lambda: is_open(panel) and key_of(panel) == first)
    panel.tabs.setCurrentIndex(1)
    panel.saving.comment.setFocus()
    presets = panel.aids.brightness.preset.native
    presets.showPopup()
    QTest.keyClick(presets.view(), Qt.Key.Key_Down)
    QTest.keyClick(presets.view(), Qt.Key.Key_Return)
    assert panel.aids.brightness.percent == 40
    assert canvas.hasFocus()
    panel.saving.comment.setFocus()
    with qtbot.waitSignal(case_of(panel).saved):
        click(panel.saving.button)
    assert canvas.hasFocus()
    dialog = panel.show_revisions()
    dialog.activateWindow()
    qtbot.waitUntil(dialog.isActiveWindow)
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    panel.window().activateWindow()
    qtbot.waitUntil(canvas.hasFocus)
    press("T")
    assert panel.toolbox.strokes.tool.name == "Trace edge"


def test_nothing_fires_while_one_types_and_the_mouse_over_the_image_does_not_disturb(
    viewer: Viewer, panel: CorrectWidget, canvas: QWidget, qtbot: QtBot
) -> None:
    first, tool, before = key_of(panel), panel.toolbox.strokes.tool, masks(viewer)[0].data.copy()
    comment = panel.saving.comment
    comment.setFocus()
    QTest.keyClicks(comment, "Shift-C, ask S, 3.")
    QTest.keyClick(comment, Qt.Key.Key_PageDown)
    viewer.mouse_over_canvas = False
    viewer.mouse_over_canvas = True
    assert (comment.text(), comment.hasFocus(), key_of(panel)) == ("Shift-C, ask S, 3.", True, first)
    assert panel.toolbox.strokes.tool is tool
    np.testing.assert_array_equal(masks(viewer)[0].data, before)
    panel.list.view.setFocus()
    viewer.mouse_over_canvas = False
    viewer.mouse_over_canvas = True
    assert canvas.hasFocus()


def test_one_key_saves_as_reviewed_and_opens_the_next_that_needs_work(
    viewer: Viewer, panel: CorrectWidget, canvas: QWidget, store: LabelStore, qtbot: QtBot
) -> None:
    first = key_of(panel)
    draw(viewer)
    panel.saving.comment.setFocus()
    QTest.keyClicks(panel.saving.comment, "ribs")
    QTest.keyClick(panel.saving.comment, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: is_open(panel) and key_of(panel) != first)
    assert canvas.hasFocus()
    (revision,) = store.revisions(first)
    assert (revision.reviewed, revision.comment) == (True, "ribs")
    click(panel.saving.next_button)
    qtbot.waitUntil(lambda: panel.list.place.text() == "3 of 3 · 2 reviewed")
    click(panel.saving.next_button)
    qtbot.waitUntil(lambda: panel.message.text() == "All cases of this list are reviewed.")
    assert [panel.list.model.index(row).data(ITEM).state for row in range(3)] == ["reviewed"] * 3


def test_the_status_bar_speaks_of_the_chosen_tool(viewer: Viewer, panel: CorrectWidget, canvas: QWidget) -> None:
    def said() -> str:
        return str(viewer.window._qt_window.statusBar()._help.text())

    canvas.setFocus()
    press("P")
    assert said().startswith("<P> Brush: napari's brush")
    press("S")
    assert said().startswith("<S> Smart brush: ")
    # The panel says why a stroke changed nothing: while the mouse is over the image, the status bar has no room for it.
    assert panel.toolbox.strokes.case is not None
    Hand(viewer, panel.toolbox.strokes.case).click(0, (2, 2))
    assert panel.saving.status.text().startswith("Nothing painted: the counts here are not those of bone")
    panel.close()
    assert "Smart brush" not in said()
