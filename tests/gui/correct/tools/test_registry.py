"""Every tool has a key of its own, makes a new mask of what it is given, and leaves that alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from napari_bonescint.anatomy import CODES
from napari_bonescint.corrections.tools.smart_brush import SmartBrush
from napari_bonescint.gui.correct.tools.registry import PICK_KEY, TOOLS, Gesture, Tool, ToolInput
from napari_bonescint.scan import View, ViewName

PELVIS, FEMUR = CODES["pelvis"], CODES["femur"]
ALL = {tool.name: tool for tools in TOOLS.values() for tool in tools}
CHANGING = [tool for tool in ALL.values() if tool.change is not None]

each_tool = pytest.mark.parametrize("tool", CHANGING, ids=lambda tool: tool.name)


def strike(path: list[tuple[float, float]], *, code: int = PELVIS, with_model: bool = True) -> ToolInput:
    """Two femurs of the anterior view of a body that stands a little left, and the left one has a hole."""
    regions = np.zeros((80, 51), np.uint8)
    regions[10:60, 8:14] = FEMUR
    regions[10:60, 30:36] = FEMUR
    regions[30, 10] = 0
    counts = np.random.default_rng(3).poisson(2 + 40 * (regions > 0)).astype(np.uint16)
    probability = (regions > 0).astype(np.float32) if with_model else None
    model = np.where(regions, FEMUR, 0).astype(np.uint8) if with_model else None
    view = View(ViewName.ANTERIOR)
    return ToolInput(regions, counts, probability, model, np.array(path, float), code, 3.0, view, SmartBrush(counts))


def test_keys_are_there_once_and_leave_digits_to_the_regions() -> None:
    keys = Counter([tool.key for tool in ALL.values()] + [PICK_KEY])
    assert [key for key, times in keys.items() if times > 1] == []
    assert len(ALL) == sum(map(len, TOOLS.values()))
    assert not any(key[-1].isdigit() for key in keys)


def test_each_tip_is_one_sentence_or_two_and_each_key_is_shown_as_people_read_it() -> None:
    assert {tool.tip[-1] for tool in ALL.values()} == {"."}
    assert (ALL["Remove bone"].shown_key, ALL["Smart brush"].shown_key) == ("⇧D", "S")


def test_what_changes_a_mask_is_ours_and_what_does_not_is_naparis_or_asks_back() -> None:
    assert {tool.gesture for tool in ALL.values() if tool.change is None} == {Gesture.NAPARI, Gesture.BOX}
    assert all(tool.mode == "pan_zoom" for tool in CHANGING)
    assert {tool.mode for tool in ALL.values()} == {"pan_zoom", "paint", "erase", "fill", "polygon"}


@each_tool
@pytest.mark.parametrize(
    "path",
    [
        pytest.param([(20, 11), (40, 11), (40, 20), (20, 20)], id="over a bone"),
        pytest.param([(30, 10)], id="a click"),
        pytest.param([(-40, -9), (200, 500)], id="beyond the view"),
    ],
)
def test_a_tool_makes_a_mask_of_the_view_and_leaves_what_it_is_given_alone(
    tool: Tool, path: list[tuple[float, float]]
) -> None:
    for code in (PELVIS, FEMUR) if tool.needs_region else (PELVIS, FEMUR, 0):
        for given in (strike(path, code=code), replace(strike(path, code=code), regions=np.zeros((80, 51), np.uint8))):
            before = given.regions.copy()
            after = tool.use(given).regions
            assert (after.dtype, after.shape) == (np.uint8, before.shape)
            assert set(np.unique(after)) <= {0, PELVIS, FEMUR}
            np.testing.assert_array_equal(given.regions, before)


@each_tool
def test_only_what_says_so_needs_a_model(tool: Tool) -> None:
    without = strike([(20, 11), (40, 11), (40, 20), (20, 20)], with_model=False)
    after = tool.use(without).regions
    if tool.needs_model:
        np.testing.assert_array_equal(after, without.regions)
    else:
        assert after.shape == without.regions.shape


def test_the_point_is_the_pixel_under_the_mouse_or_the_nearest_of_the_view() -> None:
    for end, pixel in (
        ((12.4, 7.6), (12, 8)),
        ((-0.6, 3), (0, 3)),
        ((500, -500), (79, 0)),
        ((79.4, 50.4), (79, 50)),
    ):
        assert strike([(0, 0), end]).point == pixel


def test_the_chosen_bone_of_the_clicked_side_is_mirrored_and_the_sentence_says_from_where_to_where() -> None:
    def mirror(column: float, code: int, view: ViewName) -> tuple[np.ndarray, str]:
        given = replace(strike([(70, column)], code=code), view=View(view))
        given.regions[62:70, 8:14] = PELVIS  # on the left of the image alone
        change = ALL["Mirror side"].use(given)
        return change.regions, change.sentence

    regions, sentence = mirror(3, PELVIS, ViewName.ANTERIOR)
    assert np.count_nonzero(regions == PELVIS) == 2 * 8 * 6
    assert sentence == "Patient's right pelvis mirrored to the left; other bones stay."
    assert mirror(3, PELVIS, ViewName.POSTERIOR)[1].startswith("Patient's left pelvis mirrored to the right")

    regions, sentence = mirror(45, PELVIS, ViewName.ANTERIOR)
    assert np.count_nonzero(regions == PELVIS) == 8 * 6
    assert sentence == ("No pelvis on the patient's left, so nothing was mirrored; click the good side.")
    regions, sentence = mirror(3, 0, ViewName.ANTERIOR)
    assert np.count_nonzero(regions == PELVIS) == 2 * 8 * 6
    assert sentence == ("All bones mirrored from the patient's right to the left: background (0) is chosen.")


def test_the_mirror_names_what_it_will_mirror() -> None:
    mirror = ALL["Mirror side"]
    faces = [mirror.face(code)[0] for code in (FEMUR, CODES["thoracic_spine"], 0)]
    assert faces == ["Mirror femur", "Mirror T spine", "Mirror all"]
    assert "the femur there, mirrored, replaces the femur of the other side" in mirror.face(FEMUR)[1]
    assert "all its bones" in mirror.face(0)[1]


def test_what_a_trace_cannot_reach_is_said() -> None:
    near, far = [(15.0, 17.0), (45.0, 17.0)], [(62.0, 2.0), (62.0, 48.0)]
    change = ALL["Trace edge"].use(strike(near))
    assert (change.sentence, change.unreached) == ("", ())
    assert (change.regions[16:44, 14:17] == FEMUR).all()
    change = ALL["Trace edge"].use(replace(strike(far), regions=np.zeros((80, 51), np.uint8)))
    assert change.sentence.startswith("Too far from bone: the line that is still shown.")
    (line,) = change.unreached
    assert tuple(line[0]) == (62, 2)


def test_a_click_removes_one_piece_or_the_whole_bone() -> None:
    given = strike([(20, 9)])
    piece, bone = (ALL[name].use(given).regions for name in ("Remove piece", "Remove bone"))
    assert not piece[:, :20].any()
    assert piece[:, 20:].any()
    assert not bone.any()
