"""Hot spots from probabilities, and thresholds on a drawn femur."""

import numpy as np
import pytest

from napari_bonescint.anatomy import CODES
from napari_bonescint.measurement.detection.candidates import find_hot_spots, threshold_classes
from napari_bonescint.measurement.measures import UptakeClasses
from napari_bonescint.scan import Scan, View, ViewName

SPACING = (2.0, 2.0)


@pytest.fixture
def regions():
    codes = np.zeros((2, 200, 60), np.uint8)
    codes[:, 20:180, 20:40] = CODES["femur"]
    return codes


def scan_of(counts):
    return Scan(counts, (View(ViewName.ANTERIOR), View(ViewName.POSTERIOR)), SPACING)


def classes_of(lesion, benign):
    return UptakeClasses(lesion.astype(np.float32), benign.astype(np.float32), "drawn")


def test_hot_pixels_are_numbered_from_top_to_bottom_in_each_view(regions):
    lesion, benign = np.zeros((2, *regions.shape))
    lesion[0, 100:110, 25:35] = 0.9
    lesion[0, 30:40, 25:35] = 0.15
    benign[0, 30:40, 25:35] = 0.15
    lesion[0, 60:70, 25:35] = 0.1
    lesion[1, 150:152, 25:27] = 0.9
    benign[1, 60:70, 30:50] = 0.8
    labels = find_hot_spots(scan_of(np.ones(regions.shape)), regions, classes_of(lesion, benign))
    assert labels.dtype == np.uint16
    assert np.unique(labels[0]).tolist() == [0, 1, 2]
    assert (labels[0, 30:40, 25:35] == 1).all()
    assert (labels[0, 100:110, 25:35] == 2).all()
    # A piece of 16 mm2 is left out, and pixels beside the bone are.
    assert (labels[1] > 0).sum() == 100
    assert (labels[1, 60:70, 30:40] == 1).all()


def test_thresholds_find_a_lesion_and_nothing_in_even_bone(regions):
    rng = np.random.default_rng(0)
    expected = np.where(regions > 0, 30.0, 5.0)
    expected[0, 90:102, 24:36] *= 3
    scan = scan_of(rng.poisson(expected))
    classes = threshold_classes(scan, regions)
    labels = find_hot_spots(scan, regions, classes)
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
    assert not find_hot_spots(scan, regions, threshold_classes(scan, regions)).any()
