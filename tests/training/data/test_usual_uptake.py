"""Random uptake of healthy bone: where it differs between people, alike in both views, and without new lesions."""

import numpy as np
import pytest

from napari_bonescint.anatomy import CODES
from napari_bonescint.training.data.usual_uptake import vary_usual


@pytest.fixture
def regions():
    """A sternum above a pelvis and two femurs, the same in both views."""
    codes = np.zeros((2, 300, 120), np.uint8)
    codes[:, 40:100, 54:66] = CODES["sternum"]
    codes[:, 160:186, 50:70] = CODES["sacrum"]
    codes[:, 150:200, 20:100][codes[:, 150:200, 20:100] == 0] = CODES["pelvis"]
    codes[:, 200:290, 24:40] = codes[:, 200:290, 80:96] = CODES["femur"]
    return codes


def gains(regions, seeds):
    mean = np.ones(regions.shape, np.float32)
    return np.stack([vary_usual(mean, regions, np.random.default_rng(seed)) for seed in seeds])


def test_joints_manubrium_and_rims_vary_most(regions):
    varied = np.log(gains(regions, range(60)))
    spread = varied.std(axis=0)[0]
    hip, shaft = spread[199, 24:40].mean(), spread[260, 32]
    manubrium, body = spread[44, 60], spread[92, 60]
    rim, inner = spread[152:155, 30].mean(), spread[172, 26]
    assert hip > 2 * shaft
    assert manubrium > 1.5 * body
    assert rim > 1.3 * inner
    # From the sacrum to the hip, the iliac bone is thick.
    assert spread[184, 42] > 1.3 * inner
    # Mostly more uptake, at most 3.7 times for one place; several places may meet.
    assert varied.mean() > 0
    assert varied.max() < 2.7


def test_both_sides_and_both_views_are_alike(regions):
    varied = np.log(gains(regions, range(30)))
    left, right = varied[:, :, 195:205, 24:40].mean(axis=(2, 3)), varied[:, :, 195:205, 80:96].mean(axis=(2, 3))
    assert np.corrcoef(left.ravel(), right.ravel())[0, 1] > 0.99
    assert np.corrcoef(left[:, 0], left[:, 1])[0, 1] > 0.8


def test_the_spine_varies_in_bands_that_are_strongest_along_its_middle():
    codes = np.zeros((2, 300, 60), np.uint8)
    codes[:, 20:280, 20:40] = CODES["thoracic_spine"]
    middle, edge = [], []
    for varied in np.log(gains(codes, range(30)))[:, 0]:
        middle.append(varied[30:270, 30].std())
        edge.append(varied[30:270, 22].std())
    assert np.mean(middle) > 1.15 * np.mean(edge)


def test_a_view_without_bone_stays_as_it_is():
    mean = np.full((2, 40, 30), 3, np.float32)
    np.testing.assert_array_equal(vary_usual(mean, np.zeros(mean.shape, np.uint8), np.random.default_rng(1)), mean)
