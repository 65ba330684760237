from __future__ import annotations

import pytest

from napari_bonescint.text.axis_ticks import round_ticks


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0, 1, [0, 0.5, 1]),
        (0.12, 0.41, [0.2, 0.3, 0.4]),
        (0.937, 0.951, [0.94, 0.945, 0.95]),
        (-3, 3, [-2, 0, 2]),
        (1, 1, []),
    ],
)
def test_ticks_are_round_and_within_the_axis(low: float, high: float, ticks: list[float]) -> None:
    assert round_ticks(low, high, 4) == ticks
