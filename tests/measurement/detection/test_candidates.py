"""Hot spots from probabilities, and thresholds on a drawn femur."""

import numpy as np
import pytest

from napari_bonescint.anatomy import CODES
from napari_bonescint.inference.model_card import SpotWeights
from napari_bonescint.measurement.detection.candidates import find_hot_spots, threshold_classes
from napari_bonescint.measurement.measures import UptakeClasses
from napari_bonescint.scan import Scan, View, ViewName

SPACING = (2.0, 2.0)
WEIGHTS = SpotWeights({"mean": 0.5, "highest": 0.5, "in other view": 0.2}, 0.5, "drawn", 1)


@pytest.fixture
def regions():
    codes = np.zeros((2, 200, 60), np.uint8)
    codes[:, 20:180, 20:40] = CODES["femur"]
    return codes


def scan_of(counts):
    return Scan(counts, (View(ViewName.ANTERIOR), View(ViewName.POSTERIOR)), SPACING)


def classes_of(lesion, benign):
    return UptakeClasses(lesion.astype(np.float32), benign.astype(np.float32), "drawn", "c0de", WEIGHTS)


def blob(shape, row, column, height, sigma):
    y, x = np.indices(shape)
    return height * np.exp(-0.5 * ((y - row) ** 2 + (x - column) ** 2) / sigma**2)


def test_each_maximum_is_a_spot_down_to_a_share_of_its_height(regions):
    lesion, benign = np.zeros((2, *regions.shape))
    shape = regions.shape[1:]
    lesion[0] = np.maximum(blob(shape, 120, 30, 0.9, 5), blob(shape, 140, 30, 0.5, 5))
    # A shoulder of the first, and a spot in both views.
    lesion[0] = np.maximum(lesion[0], blob(shape, 112, 30, 0.6, 4))
    lesion[0] = np.maximum(lesion[0], blob(shape, 40, 30, 0.4, 4))
    lesion[1] = blob(shape, 40, 29, 0.4, 4)
    # Too small, likely benign, and hardly anything.
    lesion[1, 150:152, 25:27] = 0.9
    benign[1, 60:70, 30:50] = 0.8
    lesion[1, 166:176, 22:38] = 0.06
    scan = scan_of(np.ones(regions.shape))
    labels, classes = find_hot_spots(scan, regions, classes_of(lesion, benign))
    assert labels.dtype == np.uint16
    assert np.unique(labels[0]).tolist() == [0, 1, 2, 3]
    assert np.unique(labels[1]).tolist() == [0, 1, 2]
    assert [labels[0, row, 30] for row in (40, 112, 120, 140)] == [1, 2, 2, 3]
    # The outline is at 0.55 of the maximum: 1.09 sigma.
    assert np.flatnonzero(labels[0, 40]).tolist() == list(range(26, 35))
    assert labels[1, 65, 35] == 2
    assert not labels[regions == 0].any()

    # Each spot has one probability; the same lesion in both views is likelier than alone.
    one, both = classes.lesion[0, 140, 30], classes.lesion[0, 40, 30]
    assert np.unique(classes.lesion[labels == 3]).tolist() == [one]
    alone = np.zeros_like(lesion)
    alone[0] = lesion[0]
    _, without = find_hot_spots(scan, regions, classes_of(alone, benign))
    assert both > without.lesion[0, 40, 30] + 0.1
    assert without.lesion[0, 140, 30] == one


def test_thresholds_find_a_lesion_and_nothing_in_even_bone(regions):
    rng = np.random.default_rng(0)
    expected = np.where(regions > 0, 30.0, 5.0)
    expected[0, 90:102, 24:36] *= 3
    scan = scan_of(rng.poisson(expected))
    classes = threshold_classes(scan, regions)
    labels, known = find_hot_spots(scan, regions, classes)
    assert known is classes
    assert labels[0].max() == 1
    assert (labels[0, 92:100, 26:34] == 1).all()
    assert not labels[1].any()
    assert classes.lesion[regions == 0].max() == 0
    assert not classes.benign.any()


def test_a_hot_region_is_measured_against_itself(regions):
    """A region that is hot as a whole is no focus: its own normal is high."""
    expected = np.where(regions > 0, 30.0, 5.0)
    expected[:, 20:180, 20:40] *= 4
    scan = scan_of(np.random.default_rng(1).poisson(expected))
    assert not find_hot_spots(scan, regions, threshold_classes(scan, regions))[0].any()
