from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_bonescint.corrections.tools.smart_brush import smart_brush
from napari_bonescint.corrections.tools.strokes import swept

HUMERUS = 10
IS_BONE = (np.arange(40) >= 15) & (np.arange(40) < 22)
COUNTS = np.random.default_rng(2).poisson(np.where(IS_BONE, 60, 8), (60, 40))
ALONG = np.stack([np.arange(10.0, 50.0), np.full(40, 18.0)], axis=1)


def test_paints_the_bone_and_not_what_lies_beside_it() -> None:
    painted = smart_brush(np.zeros((60, 40), np.uint8), COUNTS, ALONG, 8, HUMERUS)[10:50]
    assert (painted[:, 16:21] == HUMERUS).all()
    assert not painted[:, 12:14].any()
    assert not painted[:, 23:].any()


def test_erases_beside_the_bone_and_not_the_bone() -> None:
    erased = smart_brush(np.full((60, 40), HUMERUS, np.uint8), COUNTS, ALONG, 8, 0)[10:50]
    assert (erased[:, 16:21] == HUMERUS).all()
    assert not erased[:, 12:14].any()


@given(
    arrays(np.uint8, (20, 25), elements=st.integers(0, 16)),
    arrays(np.uint16, (20, 25), elements=st.integers(0, 1000)),
    arrays(np.float64, st.tuples(st.integers(1, 6), st.just(2)), elements=st.floats(-9, 30)),
    st.integers(0, 16),
)
def test_only_pixels_under_the_brush_change_and_only_to_its_code(
    regions: np.ndarray, counts: np.ndarray, path: np.ndarray, code: int
) -> None:
    painted = smart_brush(regions, counts, path, 3, code)
    changed = painted != regions
    assert not (changed & ~swept(path, 3, (20, 25))).any()
    assert (painted[changed] == code).all()
