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


def test_edge_is_where_it_was_traced() -> None:
    traced = trace_edge(RAGGED, DOWN, FEMUR)
    assert np.array_equal(traced[1:-1], np.where(np.arange(40) < 20, FEMUR, 0)[None].repeat(58, axis=0))


def test_direction_of_the_drag_does_not_matter() -> None:
    assert np.array_equal(trace_edge(RAGGED, DOWN, FEMUR), trace_edge(RAGGED, DOWN[::-1], FEMUR))


def test_new_bone_bears_the_name_of_the_bone_beside_it() -> None:
    regions = np.where(np.arange(60)[:, None] < 18, np.uint8(PELVIS), np.uint8(FEMUR)) * (RAGGED > 0)
    traced = trace_edge(regions, DOWN, FEMUR)
    assert (traced[10:17, 18:20] == PELVIS).all()
    assert (traced[19:25, 18:20] == FEMUR).all()


def test_next_rib_within_reach_stays() -> None:
    regions = RAGGED.copy()
    regions[:, 23] = 6
    regions[35:50, 20:23] = 0
    traced = trace_edge(regions, DOWN, FEMUR)
    assert (traced[:, 23] == 6).all()


def test_on_an_empty_mask_the_chosen_bone_is_drawn() -> None:
    traced = trace_edge(np.zeros((60, 40), np.uint8), DOWN, FEMUR)
    assert set(np.unique(traced)) == {0, FEMUR}


@given(
    arrays(np.uint8, (30, 30), elements=st.integers(0, 16)),
    arrays(np.float64, st.tuples(st.integers(1, 8), st.just(2)), elements=st.floats(-5, 35)),
)
def test_only_pixels_near_the_path_change_and_no_bone_is_renamed(regions: np.ndarray, path: np.ndarray) -> None:
    before = regions.copy()
    traced = trace_edge(regions, path, FEMUR)
    changed = traced != regions
    assert np.array_equal(regions, before)
    assert not (changed & ~swept(steady(path), REACH, (30, 30))).any()
    assert not (changed & (regions > 0) & (traced > 0)).any()
