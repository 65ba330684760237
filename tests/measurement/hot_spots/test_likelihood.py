"""Features of hot spots that tell metastases from others."""

import numpy as np
import pytest
from scipy.special import logit

from napari_bonescint.inference.model_card import SpotWeights
from napari_bonescint.measurement.bones import find_bones
from napari_bonescint.measurement.hot_spots.likelihood import FEATURES, spot_features, spot_probabilities
from napari_bonescint.measurement.hot_spots.marked import MarkedPixels

RIB = (slice(100, 110), slice(50, 60))
NOWHERE = logit(0.005)


def features_of(body, lesion):
    marked = MarkedPixels.of(body.labels, find_bones(body.regions, body.scan.views))
    table = spot_features(marked, body.labels, body.regions, body.scan.counts, lesion, (2.0, 2.0))
    return [dict(zip(FEATURES, row, strict=True)) for row in table]


def test_a_lesion_in_both_views_and_one_elsewhere(body):
    lesion = np.zeros(body.regions.shape, np.float32)
    for view in range(2):
        body.heat(view, *RIB, 4, label=1)
        lesion[view][body.labels[view] == 1] = (0.6, 0.4)[view]
    body.heat(0, slice(324, 336), slice(55, 67), 5, label=2)  # the right knee
    lesion[0][body.labels[0] == 2] = 0.2
    lesion[0, 330, 60] = 0.5
    front, knee, back = features_of(body, lesion)
    assert front["mean"] == front["highest"] == pytest.approx(logit(0.6), abs=1e-3)
    assert front["in other view"] == pytest.approx(logit(0.4), abs=1e-3)
    assert back["in other view"] == pytest.approx(logit(0.6), abs=1e-3)
    assert knee["in other view"] == pytest.approx(NOWHERE)
    # The same lesion in the other view is not another one.
    assert front["highest elsewhere"] == back["highest elsewhere"] == pytest.approx(logit(0.5), abs=1e-3)
    assert knee["highest elsewhere"] == pytest.approx(logit(0.6), abs=1e-3)
    assert front["number elsewhere"] == pytest.approx(np.log1p(0.25), abs=1e-3)
    assert knee["number elsewhere"] == pytest.approx(np.log1p(0.5), abs=1e-3)
    # Bone around it has a fourth, and a fifth, of its counts.
    assert front["ring"] == pytest.approx(2, abs=0.01)
    assert (knee["joint"], front["joint"], knee["face"]) == (1, 0, 0)
    assert front["area"] == pytest.approx(np.log(4))


def test_what_is_alike_on_the_other_side_and_what_lies_in_the_face(body):
    body.heat(0, slice(210, 220), slice(55, 65), 5, label=1)  # both iliac bones
    body.heat(0, slice(210, 220), slice(96, 106), 5, label=2)
    body.heat(0, slice(40, 44), slice(78, 82), 5, label=3)  # the jaw
    one, other, jaw = features_of(body, np.full(body.regions.shape, 0.3, np.float32))
    assert (one["mirrored"], other["mirrored"], jaw["mirrored"]) == (1, 1, 0)
    assert (one["face"], jaw["face"]) == (0, 1)


def test_features_without_a_weight_do_not_count():
    features = np.zeros((2, len(FEATURES)))
    features[1, FEATURES.index("joint")] = 3
    assert spot_probabilities(features, SpotWeights({"mean": 1.0}, 0.0, "", 0)).tolist() == [0.5, 0.5]
    high, low = spot_probabilities(features, SpotWeights({"joint": -1.0}, 0.0, "", 0))
    assert low == pytest.approx(1 / (1 + np.exp(3)))
    assert high == 0.5
