from __future__ import annotations

import numpy as np
import pytest

from napari_bonescint.corrections.store.difference_maps import (
    ADDED,
    RELABELLED,
    REMOVED,
    difference,
    opposite_column,
    uncertainty,
)


def test_difference_names_what_was_added_removed_and_relabelled() -> None:
    mask = np.array([[0, 3, 0, 4, 5]], np.uint8)
    model = np.array([[0, 0, 3, 5, 5]], np.uint8)
    assert difference(mask, model).tolist() == [[0, ADDED, REMOVED, RELABELLED, 0]]


def test_uncertainty_is_entropy_in_bits() -> None:
    # 0.11 bits of a coin that falls on one side in 1.5 % of all throws: -0.015 log2 0.015 - 0.985 log2 0.985
    bits = uncertainty(np.array([0.0, 0.5, 1.0, 0.015], np.float32))
    np.testing.assert_allclose(bits, [0, 1, 0, 0.1124], atol=5e-4)
    assert bits.dtype == np.float32


@pytest.mark.parametrize("column", [0.0, 12.5, 255.0])
def test_the_opposite_of_the_opposite_is_the_column_itself(column: float) -> None:
    assert opposite_column(opposite_column(column, 256), 256) == column
    assert opposite_column(0.0, 256) == 255.0
