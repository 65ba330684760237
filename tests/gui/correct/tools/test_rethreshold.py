"""The model's answer in a box is one step of undo, whatever its threshold, and gives way to other edits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from napari.layers import Image

from napari_bonescint.gui.correct.open_case import OpenCase
from napari_bonescint.gui.correct.tools.rethreshold import Answer
from napari_bonescint.gui.layers.labels import empty_labels, set_regions

if TYPE_CHECKING:
    from napari_bonescint.scan import Scan

BOX = (30, 10, 70, 50)


@pytest.fixture
def case(scan: Scan) -> OpenCase:
    """A model that sees a bar of ribs, less surely from left to right, where a person drew a square of pelvis."""
    labels = [empty_labels(Image(counts, name=view.name)) for counts, view in zip(scan.counts, scan.views, strict=True)]
    for each in labels:
        mask = np.zeros(each.data.shape, np.uint8)
        mask[40:60, 20:40] = 13
        set_regions(each, mask)
        each._reset_history()
    probability = np.broadcast_to(np.linspace(0.9, 0.1, 67, dtype=np.float32), scan.counts.shape)
    regions = np.where(probability >= 0.5, np.uint8(6), np.uint8(0))
    return OpenCase(scan, [], [], labels, regions, probability)


def bone_in_box(case: OpenCase) -> int:
    return int(np.count_nonzero(case.labels[1].data[30:70, 10:50]))


def test_each_threshold_replaces_the_answer_before_and_one_undo_takes_it_back(case: OpenCase) -> None:
    before = case.regions()
    answer = Answer(case, 1, BOX)
    sizes = []
    for threshold in (0.7, 0.3, 0.5, 0.7):
        assert answer.give(threshold)
        sizes.append(bone_in_box(case))
        assert len(case.labels[1]._undo_history) == 1
    # 40 rows, and of the columns from 10 on those with p = 0.9 - 0.8 x / 66 of at least the threshold.
    assert sizes == [40 * (16 - 10 + 1), 40 * (49 - 10 + 1), 40 * (33 - 10 + 1), 40 * (16 - 10 + 1)]
    after = case.regions()
    assert set(np.unique(after[1, 30:70, 10:50])) == {0, 6}
    after[1, 30:70, 10:50] = before[1, 30:70, 10:50]
    np.testing.assert_array_equal(after, before)
    case.labels[1].undo()
    np.testing.assert_array_equal(case.regions(), before)


def test_an_answer_that_was_undone_is_given_no_more(case: OpenCase) -> None:
    answer = Answer(case, 1, BOX)
    assert answer.holds()
    assert answer.give(0.5)
    assert answer.holds()
    case.labels[1].undo()
    assert not answer.holds()
    before = case.regions()
    assert not answer.give(0.4)
    np.testing.assert_array_equal(case.regions(), before)


@pytest.mark.parametrize("answered_first", [True, False])
def test_an_edit_meanwhile_is_left_alone(case: OpenCase, *, answered_first: bool) -> None:
    answer = Answer(case, 1, BOX)
    if answered_first:
        assert answer.give(0.5)
    case.labels[1].data_setitem((np.array([100]), np.array([5])), 14)
    edited = case.regions()
    assert not answer.give(0.3)
    np.testing.assert_array_equal(case.regions(), edited)


def test_an_edit_of_the_other_view_is_no_hindrance(case: OpenCase) -> None:
    answer = Answer(case, 1, BOX)
    assert answer.give(0.5)
    case.labels[0].data_setitem((np.array([100]), np.array([5])), 14)
    assert answer.give(0.7)
    assert case.labels[0].data[100, 5] == 14


def test_an_answer_that_changes_nothing_is_no_step_and_the_next_one_is(case: OpenCase) -> None:
    Answer(case, 1, BOX).give(0.5)
    again = Answer(case, 1, BOX)
    steps = len(case.labels[1]._undo_history)
    assert again.give(0.5)
    assert len(case.labels[1]._undo_history) == steps
    for _ in range(2):
        assert again.give(0.3)
        assert len(case.labels[1]._undo_history) == steps + 1
    assert again.give(0.5)
    assert len(case.labels[1]._undo_history) == steps
    # A box that reaches beyond the view is answered as far as there is one.
    assert Answer(case, 1, (-20, -5, 500, 500)).give(0.0)
    assert case.labels[1].data.all()
