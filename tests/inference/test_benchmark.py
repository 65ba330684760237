"""The table of speeds; that every engine gets into it, `commands/test_benchmark.py` tests."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from napari_bonescint.inference.benchmark import NAIVE, BenchmarkError, Timing, markdown, measure
from napari_bonescint.inference.model_card import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_bonescint.inference.model_card import ModelCard
    from napari_bonescint.scan import Scan

NAIVELY = Timing("fdn-13", NAIVE, (1024, 256), 1.5, 800, 612.3, 0, 1)
FAST = Timing("fdn-13", "torch", (1024, 256), 0.25, 100, None, 2.4e-6, 0.99996)


def test_a_row_tells_how_many_times_faster_than_naive_on_the_same_grid() -> None:
    coarse = replace(NAIVELY, shape=(512, 128), milliseconds=200)
    rows = [
        line for line in markdown([NAIVELY, FAST, coarse, replace(FAST, shape=(512, 128))]).splitlines() if "13" in line
    ]
    assert rows == [
        "| fdn-13 | 1024 x 256 | naive eager | 800 | 1.0 | 0.62 | 1.50 s | 612 MB | 0e+00 | 1.0000 |",
        "| fdn-13 | 1024 x 256 | torch | 100 | 8.0 | 5.00 | 0.25 s |  | 2e-06 | 1.0000 |",
        "| fdn-13 | 512 x 128 | naive eager | 200 | 1.0 | 2.50 | 1.50 s | 612 MB | 0e+00 | 1.0000 |",
        "| fdn-13 | 512 x 128 | torch | 100 | 2.0 | 5.00 | 0.25 s |  | 2e-06 | 1.0000 |",
    ]


def test_a_measuring_process_that_ends_early_is_one_sentence(make_model: Callable[..., ModelCard], scan: Scan) -> None:
    card = make_model()
    card.weights_path.unlink()
    with pytest.raises(BenchmarkError, match="tiny with naive eager: the measuring process ended early"):
        next(measure([card], scan))


def test_a_model_that_would_be_read_wrongly_is_not_measured(make_model: Callable[..., ModelCard], scan: Scan) -> None:
    with pytest.raises(ModelError, match="has 5 outputs"):
        next(measure([replace(make_model(), outputs=5)], scan))
