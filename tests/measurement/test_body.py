"""Places outside bone in a drawn body."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_bonescint.anatomy import CODES
from napari_bonescint.measurement.examination import examine

KIDNEYS = (slice(150, 185), (slice(52, 66), slice(95, 109)))


@pytest.fixture
def with_kidneys(body):
    for view in range(2):
        for columns in KIDNEYS[1]:
            body.heat(view, KIDNEYS[0], columns, 4)
    return body


def test_kidneys_are_found_and_are_no_urine(with_kidneys):
    body = with_kidneys
    examined = examine(body.scan, body.regions)
    drawn = np.zeros(body.regions.shape[1:], bool)
    for columns in KIDNEYS[1]:
        drawn[body.at(1, KIDNEYS[0], columns)[1:]] = True
    found = examined.kidneys[1]
    assert not (found & ~drawn).any()
    assert found.sum() > 0.4 * drawn.sum()
    assert examined.kidney_counts == (None, pytest.approx(32, rel=0.01))
    assert not examined.excreted.any()


def test_no_kidney_is_found_in_even_tissue(body):
    examined = examine(body.scan, body.regions)
    assert not examined.kidneys.any()
    assert examined.kidney_counts == (None, None)


def test_the_blur_of_bright_bone_is_no_kidney(body):
    body.regions[body.at(1, slice(140, 200), slice(50, 62))] = CODES["ribs"]
    blurred = gaussian_filter(np.where(body.regions[1] > 0, 800.0, 0), 4)
    body.counts[1] += np.rint(blurred).astype(np.uint16)
    assert examine(body.scan, body.regions).kidney_counts == (None, None)


def test_the_bladder_is_found_in_front_of_bone_too_and_a_hot_bone_is_not_urine(body):
    place = body.at(0, slice(222, 246), slice(66, 95))
    body.counts[place] += 600  # half of it in front of the sacrum and the pelvis
    body.heat(1, slice(200, 230), slice(91, 108), 30)  # a hot sacroiliac joint
    excreted = examine(body.scan, body.regions).excreted
    bladder = excreted[place]
    assert bladder.mean() > 0.95
    assert excreted[0].sum() < 2 * bladder.size
    assert not excreted[1].any()


def test_soft_tissue_is_that_of_the_thighs(body):
    body.heat(0, slice(80, 140), slice(66, 75), 9)  # hot soft tissue elsewhere
    assert examine(body.scan, body.regions).soft_tissue == (8, 8)
    body.regions[:, 240:] = 0
    assert examine(body.scan, body.regions).soft_tissue == (None, None)


def test_an_examination_follows_the_pixels(body):
    before = examine(body.scan, body.regions)
    assert examine(body.scan, body.regions.copy()) is before
    body.counts[0, 100, 50] += 1
    assert examine(body.scan, body.regions) is not before
