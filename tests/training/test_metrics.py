import numpy as np
import pytest

from napari_bonescint.training.metrics import Summary, cross_entropy, dice, region_dice


def test_dice_by_hand() -> None:
    mask, truth = np.zeros((4, 4), bool), np.zeros((4, 4), bool)
    mask[0, :3] = True
    truth[0, 1:] = True
    assert dice(mask, truth) == pytest.approx(2 * 2 / 6)
    assert dice(mask, mask) == 1
    assert dice(~mask & ~truth & False, truth & False) == 1
    assert dice(mask & False, truth) == 0


def test_regions_hardly_seen_are_not_scored() -> None:
    truth = np.zeros((20, 20), np.uint8)
    truth[:10] = 1
    truth[15, :5] = 7
    assert region_dice(truth, truth) == {"skull": 1.0}


def test_cross_entropy_by_hand() -> None:
    probability = np.array([0.8, 0.4], np.float32)
    truth = np.array([True, False])
    assert cross_entropy(probability, truth) == pytest.approx(-(np.log(0.8) + np.log(0.6)) / 2)
    assert cross_entropy(np.array([0.0], np.float32), np.array([True])) == pytest.approx(np.log(1e6))


def test_summary_by_hand() -> None:
    assert Summary.of([0.9, 0.6, 0.9]) == Summary(mean=0.8, spread=0.1414, median=0.9, lowest=0.6, views=3)
