from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_bonescint.evaluation.calibration import BINS, Reliability, fit_temperature
from napari_bonescint.inference.segmenter import Segmenter

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_bonescint.inference.model_card import ModelCard
    from napari_bonescint.scan import Scan


def test_what_is_said_and_found_alike_has_no_error() -> None:
    reliability = Reliability.of(np.full(10, 0.7, np.float32), np.arange(10) < 7)
    assert reliability.curve == [(pytest.approx(0.7), 0.7)]
    assert reliability.expected_error == pytest.approx(0, abs=1e-4)


def test_expected_error_by_hand() -> None:
    # Twenty pixels said 0.9 and half of them bone, eighty said 0.1 and none of them bone.
    probability = np.concatenate([np.full(20, 0.9), np.full(80, 0.1)]).astype(np.float32)
    truth = np.arange(100) < 10
    assert Reliability.of(probability, truth).expected_error == pytest.approx(0.2 * 0.4 + 0.8 * 0.1, abs=1e-4)


def test_pixels_that_are_surely_no_bone_are_left_out() -> None:
    probability = np.array([0.001, 0.5, 1.0], np.float32)
    reliability = Reliability.of(probability, np.array([True, True, True]))
    assert sum(reliability.pixels) == sum(reliability.bone) == 2
    assert reliability.pixels[BINS - 1] == 1


def test_parts_add_up_to_the_whole() -> None:
    rng = np.random.default_rng(3)
    probability = rng.random((4, 50)).astype(np.float32)
    truth = rng.random((4, 50)) < probability
    whole, sum_of_parts = Reliability.of(probability, truth), Reliability.of(probability[0], truth[0])
    for view in (1, 2, 3):
        sum_of_parts += Reliability.of(probability[view], truth[view])
    assert sum_of_parts.pixels == whole.pixels
    assert sum_of_parts.expected_error == pytest.approx(whole.expected_error, abs=1e-4)


def test_nothing_has_no_error() -> None:
    assert Reliability.of(np.zeros(4, np.float32), np.zeros(4, bool)).expected_error == 0


def test_the_temperature_that_truth_was_drawn_at_is_found(make_model: Callable[..., ModelCard], scan: Scan) -> None:
    segmenter = Segmenter(replace(make_model(outputs=1), temperature=1.7), "cpu")
    probability = segmenter.segment(scan).probability
    truth = (np.random.default_rng(0).random(probability.shape) < probability).astype(np.uint8)
    segmenter.card = replace(segmenter.card, temperature=1.0)
    assert fit_temperature([segmenter.segment(scan).probability], [truth > 0]) == pytest.approx(1.7, rel=0.1)
