"""How good a model's mask is likely to be, and what is kept of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_bonescint.corrections.store.records.prediction import expected_dice, uncertainty_of

if TYPE_CHECKING:
    from napari_bonescint.corrections.store.label_store import LabelStore
    from napari_bonescint.segmentation import Segmentation


def test_expected_dice_by_hand() -> None:
    # 2 (0.9 + 0.6) / (0.9 + 0.6 + 0.5 + 2)
    assert expected_dice(np.array([0.9, 0.6, 0.5], np.float32), np.array([1, 1, 0], np.uint8)) == pytest.approx(0.75)
    assert expected_dice(np.zeros(4, np.float32), np.zeros(4, np.uint8)) == 1


def test_expected_dice_is_the_mean_dice_of_masks_drawn_from_the_probability() -> None:
    generator = np.random.default_rng(3)
    probability = generator.beta(0.3, 0.3, 20_000).astype(np.float32)
    mask = (probability >= 0.5).astype(np.uint8)
    drawn = generator.random((200, 20_000)) < probability
    dice = 2 * (drawn * mask).sum(1) / (drawn.sum(1) + mask.sum())
    assert expected_dice(probability, mask) == pytest.approx(dice.mean(), abs=0.001)


def test_uncertainty_by_hand() -> None:
    # One bit at 0.5, none at 1, 0.8113 bits at 0.25; pixels that are surely background do not count.
    probability = np.array([0.5, 1, 0.25, 0, 0.01, 0.02], np.float32)
    assert uncertainty_of(probability) == pytest.approx((1 + 0 + 0.8112781) / 3)
    assert uncertainty_of(np.zeros(3, np.float32)) == 0


def test_a_prediction_comes_back(store: LabelStore, case: str, segmentation: Segmentation) -> None:
    assert store.prediction(case) is None
    store.add_prediction(case, segmentation)
    kept = store.prediction(case)
    assert kept is not None
    np.testing.assert_array_equal(kept.regions, segmentation.regions)
    np.testing.assert_allclose(kept.probability, segmentation.probability, atol=0.5 / 255 + 1e-6)
    assert kept.probability.dtype == np.float32
    assert (kept.model, kept.model_sha256, kept.names_regions) == ("tiny", "ab" * 32, True)
    assert kept.predicted_dice == expected_dice(segmentation.probability, segmentation.skeleton)
    (summary,) = store.cases()
    assert (summary.uncertainty, summary.predicted_dice) == (kept.uncertainty, kept.predicted_dice)


def test_the_last_model_asked_counts_and_nothing_is_kept_twice(
    store: LabelStore, case: str, segmentation: Segmentation
) -> None:
    plain = replace(segmentation, regions=None, model="plain", model_sha256="cd" * 32)
    for each in (segmentation, segmentation, plain, plain):
        store.add_prediction(case, each)
    kept = store.prediction(case)
    assert kept is not None
    assert (kept.model, kept.names_regions, int(kept.regions.max())) == ("plain", False, 1)
    assert len(list(store.files(case).predictions.glob("*.json"))) == 2
