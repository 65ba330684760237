from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_bonescint.anatomy import CODES
from napari_bonescint.gui.correct.tools.mouse_handler import MouseHandler
from napari_bonescint.gui.correct.tools.registry import TOOLS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari import Viewer

    from gui.correct.correcting import Hand
    from napari_bonescint.gui.correct.open_case import OpenCase

BY_NAME = {tool.name: tool for tools in TOOLS.values() for tool in tools}


@pytest.fixture
def strokes(viewer: Viewer, case: OpenCase) -> Iterator[MouseHandler]:
    """The outline tool in the hand, pelvis chosen."""
    strokes = MouseHandler(viewer, on_choice=lambda: None, on_box=lambda _view, _box: None, on_stroke=lambda _why: None)
    strokes.set_case(case)
    strokes.choose(CODES["pelvis"])
    strokes.take(BY_NAME["Outline"])
    yield strokes
    strokes.set_case(None)


def test_a_stroke_is_seen_while_it_is_drawn_and_its_line_goes_with_it(
    viewer: Viewer, strokes: MouseHandler, case: OpenCase, hand: Hand
) -> None:
    layers = list(viewer.layers)
    line = viewer.scene.overlays["bonescint stroke"]
    before = case.regions()
    hand.press(0, (700, 60))
    for point in ((700, 160), (800, 160)):
        hand.move(0, point)
    assert len(line.lines) > 0
    assert list(viewer.layers) == layers
    np.testing.assert_array_equal(case.regions(), before)
    hand.release(0, (800, 60))
    assert len(line.lines) == 0
    assert (case.labels[0].data[720:780, 80:140] == CODES["pelvis"]).all()


def test_a_stroke_during_which_the_case_goes_changes_nothing(
    viewer: Viewer, strokes: MouseHandler, case: OpenCase, hand: Hand
) -> None:
    before = case.regions()
    hand.press(0, (700, 60))
    hand.move(0, (700, 160))
    strokes.set_case(None)
    hand.release(0, (800, 160))
    np.testing.assert_array_equal(case.regions(), before)
    assert "bonescint stroke" not in viewer.scene.overlays
    strokes.set_case(case)


def test_a_stroke_that_begins_beside_the_views_changes_nothing(
    strokes: MouseHandler, case: OpenCase, hand: Hand
) -> None:
    before = case.regions()
    hand.drag(0, [(500, -8), (500, 60), (600, 60)])
    np.testing.assert_array_equal(case.regions(), before)
