import numpy as np
import pytest

from napari_bonescint.training.metrics import dice, region_dice


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
