"""Numbers of hot spots after a reader has painted and erased."""

from __future__ import annotations

import numpy as np
import pytest

from napari_bonescint.measurement.reader_edits import carry_over, renumber


def plane(*boxes: tuple[int, int, int, int, int]) -> np.ndarray:
    """A view with boxes (number, top, bottom, left, right)."""
    labels = np.zeros((60, 40), np.uint16)
    for number, top, bottom, left, right in boxes:
        labels[top:bottom, left:right] = number
    return labels


BEFORE = ((1, 10, 14, 10, 14), (2, 30, 36, 10, 16))


def painted(before: np.ndarray, number: int, top: int, bottom: int, left: int, right: int) -> np.ndarray:
    after = before.copy()
    after[top:bottom, left:right] = number
    return after


def test_a_painted_piece_becomes_a_hot_spot_of_the_reader() -> None:
    before = plane(*BEFORE)
    after = renumber(painted(before, 3, 20, 22, 30, 33), before, 3)
    np.testing.assert_array_equal(after.labels, plane(*BEFORE, (3, 20, 22, 30, 33)))
    assert after.drawn == {3}
    # With a number that is taken, or in two places at once, each piece has a number of its own.
    twice = painted(painted(before, 2, 20, 23, 30, 33), 2, 50, 52, 30, 33)
    after = renumber(twice, before, 3)
    np.testing.assert_array_equal(after.labels, plane(*BEFORE, (3, 20, 23, 30, 33), (4, 50, 52, 30, 33)))
    assert after.drawn == {3, 4}


def test_paint_that_touches_a_hot_spot_enlarges_it() -> None:
    before = plane(*BEFORE)
    beside = renumber(painted(before, 3, 10, 14, 14, 17), before, 3)
    np.testing.assert_array_equal(beside.labels, plane((1, 10, 14, 10, 17), BEFORE[1]))
    over = renumber(painted(before, 3, 29, 37, 9, 17), before, 3)
    np.testing.assert_array_equal(over.labels, plane(BEFORE[0], (2, 29, 37, 9, 17)))
    assert not beside.drawn | over.drawn


def test_erased_hot_spots_vanish_and_cut_ones_become_two() -> None:
    before = plane(*BEFORE)
    gone = renumber(painted(before, 0, 9, 15, 9, 15), before, 3)
    np.testing.assert_array_equal(gone.labels, plane(BEFORE[1]))
    cut = renumber(painted(before, 0, 31, 32, 9, 17), before, 3)
    np.testing.assert_array_equal(cut.labels, plane(BEFORE[0], (3, 30, 31, 10, 16), (2, 32, 36, 10, 16)))
    assert cut.parents == {3: 2}
    assert not cut.drawn


@pytest.mark.parametrize("first_free", [3, 12])
def test_an_untouched_view_stays(first_free: int) -> None:
    before = plane(*BEFORE)
    np.testing.assert_array_equal(renumber(before.copy(), before, first_free).labels, before)


def test_measured_again_hot_spots_keep_their_numbers_and_the_readers_changes() -> None:
    found = plane(*BEFORE, (3, 50, 54, 10, 14), (4, 50, 54, 30, 34))
    # The reader erased 3, drew 5, and decided that 4 is suspicious.
    present = plane(*BEFORE, (4, 50, 54, 30, 34), (5, 20, 24, 30, 34))
    new = plane((1, 29, 36, 10, 17), (2, 10, 13, 10, 14), (3, 50, 54, 10, 13), (4, 22, 25, 30, 34), (5, 2, 5, 2, 5))
    carried = carry_over(new, present, found, {4}, 6)
    expected = plane(
        (2, 29, 36, 10, 17), (1, 10, 13, 10, 14), (5, 20, 24, 30, 34), (6, 2, 5, 2, 5), (4, 50, 54, 30, 34)
    )
    np.testing.assert_array_equal(carried.labels, expected)
    # Measured once more, what was erased stays away, and what was drawn stays as it was drawn.
    again = carry_over(new, carried.labels, carried.found, {4}, 7)
    np.testing.assert_array_equal(again.labels, expected)
    third = carry_over(new, again.labels, again.found, {4}, 7)
    np.testing.assert_array_equal(third.labels, expected)


def test_a_hot_spot_that_was_partly_erased_keeps_its_shape_however_often_it_is_found() -> None:
    found = plane(*BEFORE)
    left = plane((1, 10, 12, 10, 14), BEFORE[1])
    for _ in range(3):
        carried = carry_over(plane(*BEFORE), left, found, (), 3)
        np.testing.assert_array_equal(carried.labels, left)
        np.testing.assert_array_equal(carried.found, plane(*BEFORE))
        found = carried.found
