import numpy as np
import pytest

from napari_bonescint.evaluation.metrics import Summary, cross_entropy, dice, region_dice, surface_distance


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


def test_surface_distance_by_hand() -> None:
    # Two columns of pixels, 3 apart along x, where pixels are 2 mm wide and 1 mm high.
    mask, truth = np.zeros((12, 12), bool), np.zeros((12, 12), bool)
    mask[2:10, 3] = True
    truth[2:10, 6] = True
    distance = surface_distance(mask, truth, (1.0, 2.0))
    assert (distance.mean, distance.p95) == (pytest.approx(6.0), pytest.approx(6.0))
    assert surface_distance(truth, truth, (1.0, 2.0)).mean == 0
    assert surface_distance(mask, truth & False, (1.0, 2.0)) is None


def test_the_inside_of_a_mask_has_no_distance() -> None:
    # The edges are 1 pixel apart on all four sides, but for the corners, which are the root of 2 apart.
    mask, truth = np.zeros((30, 30), bool), np.zeros((30, 30), bool)
    mask[5:25, 5:25] = True
    truth[6:24, 6:24] = True
    outer, inner, corners = 4 * 19, 4 * 17, 4
    expected = (outer - corners + inner + corners * 2**0.5) / (outer + inner)
    assert surface_distance(mask, truth, (1.0, 1.0)).mean == pytest.approx(expected)
