from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from qtpy.QtCore import Qt
from scipy.ndimage import distance_transform_edt

from gui.correct.correcting import open_case
from napari_bonescint.anatomy import CODES
from napari_bonescint.gui.correct.tools.registry import TOOLS
from napari_bonescint.gui.correct.tools.toolbox import Toolbox

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari import Viewer
    from pytestqt.qtbot import QtBot

    from gui.correct.correcting import Hand
    from napari_bonescint.gui.correct.open_case import OpenCase

PELVIS, FEMUR, LUMBAR = CODES["pelvis"], CODES["femur"], CODES["lumbar_spine"]
CENTRE = {view: (365, 117 if view == 0 else 138) for view in (0, 1)}


@pytest.fixture
def toolbox(viewer: Viewer, case: OpenCase) -> Toolbox:
    toolbox = Toolbox(viewer)
    viewer.window.add_dock_widget(toolbox, area="right")
    viewer.reset_view()
    toolbox.set_case(case)
    return toolbox


def around(case: OpenCase, view: int, code: int) -> tuple[tuple[float, float], tuple[float, float]]:
    """Corners just outside a region of a view."""
    where = np.argwhere(case.labels[view].data == code)
    (y0, x0), (y1, x1) = where.min(axis=0) - 3, where.max(axis=0) + 3
    return (y0, x0), (y1, x1)


def pixel_of(case: OpenCase, view: int, code: int) -> tuple[int, int]:
    """A pixel well inside a region."""
    depth = distance_transform_edt(case.labels[view].data == code)
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    return int(row), int(column)


def loop_around(case: OpenCase, view: int, code: int) -> list[tuple[float, float]]:
    (y0, x0), (y1, x1) = around(case, view, code)
    return [(y0, x0), (y0, x1), (y1, x1), (y1, x0)]


def beside(case: OpenCase, view: int, code: int) -> list[tuple[float, float]]:
    """A line beside the middle third of a region, three pixels to the left."""
    rows, columns = np.nonzero(case.labels[view].data == code)
    thirds = np.quantile(rows, (1 / 3, 2 / 3)).round().astype(int)
    return [(float(row), float(columns[rows == row].min() - 3)) for row in range(thirds[0], thirds[1], 8)]


AT_ONCE = ("Grow", "Shrink", "Smooth", "Clear view")
CLICKS = ("Remove piece", "Remove bone", "Mirror side")
DRAGS: dict[str, Callable[[OpenCase, int], Sequence[tuple[float, float]]]] = {
    "Smart brush": lambda case, view: [pixel_of(case, view, PELVIS), pixel_of(case, view, FEMUR)],
    "Trace edge": lambda case, view: beside(case, view, FEMUR),
    "Outline": lambda _case, _view: [(700, 60), (700, 160), (800, 160), (800, 60)],
    "Relabel": lambda case, view: loop_around(case, view, FEMUR),
    "Ask again": lambda case, view: around(case, view, FEMUR),
}
KEYS = {tool.name: tool.key for tools in TOOLS.values() for tool in tools}


@pytest.mark.parametrize("view", [0, 1])
def test_each_tool_is_one_undo_step_in_the_view_under_the_mouse(
    toolbox: Toolbox, case: OpenCase, hand: Hand, view: int
) -> None:
    before = case.regions()
    for name in (*AT_ONCE, *CLICKS, "Add piece", *DRAGS):
        hand.move(view, CENTRE[view])
        hand.key("1", "3", KEYS[name])
        if name in DRAGS:
            hand.drag(view, DRAGS[name](case, view))
        elif name not in AT_ONCE:
            hand.click(view, pixel_of(case, view, FEMUR) if name in CLICKS else (850, 128))
        after = case.regions()
        assert (after[view] != before[view]).any(), name
        np.testing.assert_array_equal(after[1 - view], before[1 - view], err_msg=name)
        hand.undo()
        np.testing.assert_array_equal(case.regions(), before, err_msg=name)
        assert not case.labels[view]._undo_history, name


def test_fill_holes_by_its_button(toolbox: Toolbox, case: OpenCase, hand: Hand, qtbot: QtBot) -> None:
    row, column = pixel_of(case, 0, FEMUR)
    case.labels[0].data_setitem((np.array([row]), np.array([column])), 0)
    hand.move(0, CENTRE[0])
    qtbot.mouseClick(toolbox.region_buttons[FEMUR], Qt.MouseButton.LeftButton)
    qtbot.mouseClick(toolbox.tool_buttons["Fill holes"], Qt.MouseButton.LeftButton)
    assert case.labels[0].data[row, column] == FEMUR


def test_a_click_relabels_nothing_of_another_view_and_no_picture_moves(
    viewer: Viewer, toolbox: Toolbox, case: OpenCase, hand: Hand
) -> None:
    centre = viewer.scene.camera.center
    hand.key("1", "3", "O")
    hand.drag(1, [(700, 60), (700, 160), (800, 160), (800, 60)])
    assert viewer.scene.camera.center == centre
    assert (case.labels[1].data[720:780, 80:140] == PELVIS).all()
    assert viewer.layers.selection.active is case.labels[1]


def test_regions_are_chosen_by_name_by_digits_and_under_the_mouse(
    toolbox: Toolbox, case: OpenCase, hand: Hand, qtbot: QtBot
) -> None:
    def chosen() -> set[int]:
        pressed = {code for code, button in toolbox.region_buttons.items() if button.isChecked()}
        assert pressed == {layer.selected_label for layer in case.labels}
        return pressed

    hand.move(0, CENTRE[0])
    hand.key("7")
    assert chosen() == {7}
    hand.key("1", "4")
    assert chosen() == {14}
    hand.key("0")
    assert chosen() == {0}
    qtbot.mouseClick(toolbox.region_buttons[9], Qt.MouseButton.LeftButton)
    assert chosen() == {9}
    hand.move(1, pixel_of(case, 1, FEMUR))
    hand.key("Q")
    assert chosen() == {FEMUR}
    case.labels[0].selected_label = 6  # as napari's own controls do
    assert chosen() == {6}


def test_naparis_tools_share_region_and_size_and_show_in_the_toolbox(
    toolbox: Toolbox, case: OpenCase, hand: Hand
) -> None:
    hand.move(0, CENTRE[0])
    hand.key("1", "6", "P", "BracketRight", "BracketRight")
    assert [str(layer.mode) for layer in case.labels] == ["paint", "paint"]
    assert [layer.brush_size for layer in case.labels] == [toolbox.brush.value()] * 2 == [10, 10]
    assert toolbox.tool_buttons["Brush"].isChecked()
    hand.drag(1, [(900, 128), (900, 140)])
    assert case.labels[1].data[900, 130] == CODES["foot"]
    case.labels[1].mode = "erase"
    assert toolbox.tool_buttons["Eraser"].isChecked()
    hand.key("S")
    assert toolbox.tool_buttons["Smart brush"].isChecked()
    assert [str(layer.mode) for layer in case.labels] == ["pan_zoom", "pan_zoom"]


def test_while_space_is_held_the_mouse_moves_the_picture(
    viewer: Viewer, toolbox: Toolbox, case: OpenCase, hand: Hand
) -> None:
    before, centre = case.regions(), viewer.scene.camera.center
    hand.move(0, CENTRE[0])
    hand.key("1", "3", "O")
    hand.hold_space(down=True)
    hand.drag(0, [(500, 128), (520, 140), (560, 160)])
    hand.hold_space(down=False)
    np.testing.assert_array_equal(case.regions(), before)
    assert viewer.scene.camera.center != centre
    assert toolbox.tool_buttons["Outline"].isChecked()


def test_the_slider_changes_the_answer_which_stays_one_step_and_its_box_is_shown_as_long(
    viewer: Viewer, toolbox: Toolbox, case: OpenCase, hand: Hand
) -> None:
    before = case.regions()
    line = viewer.scene.overlays["bonescint stroke"]
    assert not toolbox.threshold.isEnabled()
    hand.move(0, CENTRE[0])
    hand.key("K")
    hand.drag(0, around(case, 0, FEMUR))
    assert len(line.lines) == 4
    sizes = []
    for percent in (80, 40, 10):
        toolbox.threshold.setValue(percent)
        sizes.append(int((case.labels[0].data != 0).sum()))
        assert len(case.labels[0]._undo_history) == 1
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1]
    hand.key("Period")
    assert toolbox.threshold.value() == 15
    (y0, x0), (y1, x1) = (np.rint(corner) for corner in around(case, 0, FEMUR))
    corners = case.world(0, np.array([[y0 - 0.5, x0 - 0.5], [y1 + 0.5, x1 + 0.5]]))
    # A pixel of the screen is wider than one of the scan.
    drawn = np.array(line.lines)[:, :2]
    np.testing.assert_allclose([drawn.min(axis=0), drawn.max(axis=0)], corners, atol=8)
    hand.undo()
    np.testing.assert_array_equal(case.regions(), before)
    assert len(line.lines) == 0
    toolbox.threshold.setValue(90)  # the answer was taken back: the slider is of no effect any more
    np.testing.assert_array_equal(case.regions(), before)
    assert not toolbox.threshold.isEnabled()
    for end in (lambda: hand.key("G"), lambda: hand.key("O")):  # an edit, another tool
        hand.key("K")
        hand.drag(0, around(case, 0, FEMUR))
        assert (len(line.lines), toolbox.threshold.isEnabled()) == (4, True)
        end()
        assert (len(line.lines), toolbox.threshold.isEnabled()) == (0, False)


def test_the_mirror_says_on_its_button_and_afterwards_which_bone_goes_from_which_side_to_which(
    toolbox: Toolbox, case: OpenCase, hand: Hand, shown: Callable[[], list[str]]
) -> None:
    button = toolbox.tool_buttons["Mirror side"]
    before = case.labels[0].data.copy()
    hand.move(0, CENTRE[0])
    hand.key("1", "4", "M")
    assert (button.accessibleName(), button.isChecked()) == ("Mirror femur", True)
    assert "the femur there, mirrored, replaces the femur of the other side" in button.toolTip()
    row, column = pixel_of(case, 0, FEMUR)
    hand.click(0, (row, column))
    side, other = ("right", "left") if column < CENTRE[0][1] else ("left", "right")
    assert shown()[-1] == f"Patient's {side} femur mirrored to the {other}; other bones stay."
    after = case.labels[0].data
    assert (after != before).any()
    changed = after != before
    assert set(np.unique(before[changed])) | set(np.unique(after[changed])) == {0, FEMUR}
    hand.key("0")
    assert button.accessibleName() == "Mirror all"


def test_the_part_of_a_traced_line_that_is_out_of_reach_stays_visible_and_is_explained(
    viewer: Viewer, toolbox: Toolbox, case: OpenCase, hand: Hand, shown: Callable[[], list[str]]
) -> None:
    hand.move(0, CENTRE[0])
    hand.key("T")
    hand.drag(0, [(20, 4), (40, 4), (60, 4), (80, 4)])
    assert shown()[-1].startswith("Too far from bone: the line that is still shown.")
    line = viewer.scene.overlays["bonescint stroke"]
    ends = case.world(0, np.array([[20, 4], [80, 4]]))
    np.testing.assert_allclose([line.lines[0][:2], line.lines[-1][2:]], ends, atol=4)
    hand.key("O")
    assert len(line.lines) == 0


def test_it_is_said_why_the_smart_brush_changed_nothing(toolbox: Toolbox, case: OpenCase, hand: Hand) -> None:
    said: list[str] = []
    toolbox.explained.connect(said.append)
    before, bone, air = case.regions(), pixel_of(case, 0, LUMBAR), (20, 4)
    hand.move(0, CENTRE[0])
    hand.key("S")
    toolbox.brush.setValue(4)
    for code, place, why in (
        (LUMBAR, air, "Nothing painted: the counts here are not those of bone"),
        (LUMBAR, bone, "Nothing painted: all bone here is lumbar spine already"),
        (0, bone, "Nothing erased: the counts here are those of bone"),
        (0, air, "Nothing erased: the mask has no bone here"),
    ):
        toolbox.region_buttons[code].click()
        hand.click(0, place)
        assert said[-1].startswith(why)
        np.testing.assert_array_equal(case.regions(), before)
    toolbox.region_buttons[FEMUR].click()
    hand.click(0, bone)
    assert said[-1] == ""
    assert (case.regions() != before).any()


def test_what_needs_a_model_or_a_region_says_so(
    viewer: Viewer, toolbox: Toolbox, case: OpenCase, hand: Hand, shown: Callable[[], list[str]]
) -> None:
    hand.move(0, CENTRE[0])
    hand.key("0", "G")
    assert "choose a region" in shown()[-1]
    toolbox.set_case(None)
    viewer.layers.clear()
    other = open_case(viewer, with_model=False)
    toolbox.set_case(other)
    toolbox.tool_buttons["Ask again"].click()
    assert "no model" in shown()[-1]
    assert not toolbox.tool_buttons["Ask again"].isChecked()


def test_without_a_case_the_viewer_is_as_before(viewer: Viewer, case: OpenCase, hand: Hand) -> None:
    marks: list[str] = []
    viewer.bind_key("S", lambda _viewer: marks.append("mine"))
    layers, keymaps = list(viewer.layers), [dict(viewer.keymap), *(dict(layer.keymap) for layer in case.labels)]
    callbacks = [list(viewer.mouse_drag_callbacks), list(viewer.mouse_double_click_callbacks)]
    toolbox = Toolbox(viewer)
    viewer.window.add_dock_widget(toolbox)
    toolbox.set_case(case)
    hand.move(0, CENTRE[0])
    hand.key("S")
    assert toolbox.tool_buttons["Smart brush"].isChecked()
    toolbox.set_case(None)
    assert list(viewer.layers) == layers
    assert [dict(viewer.keymap), *(dict(layer.keymap) for layer in case.labels)] == keymaps
    assert [list(viewer.mouse_drag_callbacks), list(viewer.mouse_double_click_callbacks)] == callbacks
    hand.key("S", "2")
    assert marks == ["mine"]
    assert str(case.labels[0].mode) == "paint"  # napari's own meaning of 2


@pytest.mark.parametrize("name", ["Smart brush", "Outline", "Ask again"])
def test_escape_drops_the_stroke_that_is_drawn_and_no_other(
    toolbox: Toolbox, case: OpenCase, hand: Hand, name: str
) -> None:
    before = case.regions()
    path = DRAGS[name](case, 0)
    hand.move(0, CENTRE[0])
    hand.key("1", "3", KEYS[name])
    hand.press(0, path[0])
    hand.move(0, path[1])
    hand.key("Escape")
    hand.move(0, path[-1])
    np.testing.assert_array_equal(case.regions(), before)
    hand.release(0, path[-1])
    np.testing.assert_array_equal(case.regions(), before)
    assert not case.labels[0]._undo_history
    assert toolbox.strokes.tool.name == name
    hand.drag(0, path)
    assert (case.regions()[0] != before[0]).any()
    hand.key("Escape")
    assert (case.regions()[0] != before[0]).any()
