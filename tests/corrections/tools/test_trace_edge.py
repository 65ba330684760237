from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_bonescint.corrections.tools.strokes import steady, swept
from napari_bonescint.corrections.tools.trace_edge import REACH, trace_edge

FEMUR, PELVIS = 14, 13
RAGGED = np.zeros((60, 40), np.uint8)
RAGGED[:, :20] = FEMUR
RAGGED[10:25, 18:20] = 0
RAGGED[35:50, 20:23] = FEMUR
DOWN = np.stack([np.arange(0.0, 60.0), np.full(60, 19.5)], axis=1)


def test_edge_is_where_it_was_traced_from_the_first_row_to_the_last() -> None:
    traced = trace_edge(RAGGED, DOWN, FEMUR)
    assert np.array_equal(traced.regions, np.where(np.arange(40) < 20, FEMUR, 0)[None].repeat(60, axis=0))
    assert traced.unreached == []


def line_at(column: float, first: float = 10, last: float = 49) -> np.ndarray:
    rows = np.arange(first, last + 1)
    return np.stack([rows, np.full(len(rows), column)], axis=1)


def shaft(width: int) -> np.ndarray:
    regions = np.zeros((60, 60), np.uint8)
    regions[:, 10 : 10 + width] = FEMUR
    return regions


def test_bone_reaches_a_line_that_was_drawn_eight_pixels_away_and_ends_where_the_line_ended() -> None:
    traced = trace_edge(shaft(10), line_at(27.5), FEMUR)
    expected = shaft(10)
    expected[10:50, 20:28] = FEMUR
    assert np.array_equal(traced.regions, expected)
    assert traced.unreached == []


def test_it_reaches_a_line_twelve_pixels_away_that_begins_and_ends_at_the_edge() -> None:
    out = np.array([[8, 19.5], [20, 31.0], [40, 31.0], [52, 19.5]])
    traced = trace_edge(shaft(10), out, FEMUR)
    assert traced.unreached == []
    assert (traced.regions[22:38, 20:31] == FEMUR).all()
    assert not traced.regions[:, 32:].any()
    open_ends = trace_edge(shaft(10), line_at(31.0), FEMUR)
    (left,) = open_ends.unreached
    assert len(left) >= 38
    assert not open_ends.regions[12:48, 21:26].any()


def test_an_edge_is_moved_inwards_as_far() -> None:
    regions = shaft(10)
    regions[15:45, 20:30] = FEMUR  # 10 pixels too wide between the ends of the line
    traced = trace_edge(regions, line_at(19.5), FEMUR)
    assert np.array_equal(traced.regions, shaft(10))


def test_bone_that_goes_on_past_the_ends_of_the_line_is_cut_off_but_not_removed() -> None:
    regions = shaft(24)
    traced = trace_edge(regions, line_at(24.5), FEMUR).regions
    assert not traced[11:49, 25:28].any()
    assert (traced[:, 30:34] == FEMUR).all()


def test_the_part_of_a_line_that_is_too_far_from_bone_is_named() -> None:
    regions = shaft(10)
    regions[30:] = 0
    traced = trace_edge(regions, line_at(25.5), FEMUR)
    (left,) = traced.unreached
    assert 30 <= left[0, 0] <= 44
    assert tuple(left[-1]) == (49, 25.5)
    assert (traced.regions[10:29, 20:26] == FEMUR).all()
    assert not traced.regions[46:, :21].any()


def test_on_an_empty_mask_a_band_of_the_chosen_bone_is_drawn_and_all_of_the_line_is_named() -> None:
    traced = trace_edge(np.zeros((60, 60), np.uint8), line_at(25.5), FEMUR)
    assert set(np.unique(traced.regions)) == {0, FEMUR}
    (left,) = traced.unreached
    assert (tuple(left[0]), tuple(left[-1])) == ((10, 25.5), (49, 25.5))


@given(
    arrays(np.uint8, (30, 30), elements=st.integers(0, 16)),
    arrays(np.float64, st.tuples(st.integers(1, 8), st.just(2)), elements=st.floats(-5, 35)),
)
def test_only_pixels_near_the_path_change_and_no_bone_is_renamed(regions: np.ndarray, path: np.ndarray) -> None:
    before = regions.copy()
    traced = trace_edge(regions, path, FEMUR).regions
    changed = traced != regions
    assert np.array_equal(regions, before)
    assert not (changed & ~swept(steady(path), REACH, (30, 30))).any()
    assert not (changed & (regions > 0) & (traced > 0)).any()
