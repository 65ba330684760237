"""Hot spots of a drawn body, described."""

import numpy as np
import pytest

from napari_bonescint.measurement.description import describe_hot_spots
from napari_bonescint.measurement.measures import HotSpotVerdict, UptakeClasses
from napari_bonescint.scan import ViewName

A, P = ViewName.ANTERIOR, ViewName.POSTERIOR
RIB = (slice(100, 110), slice(50, 60))


def describe(body, **known):
    return {(spot.view, spot.id): spot for spot in describe_hot_spots(body.scan, body.regions, body.labels, **known)}


def test_place_size_and_ratios(body):
    body.heat(0, *RIB, 4, label=3)
    body.counts[0, 105, 55] = 400
    (spot,) = describe(body).values()
    assert (spot.id, spot.region, spot.side, spot.pixels, spot.area_mm2) == (3, "ribs", "right", 100, 400)
    assert (spot.row, spot.column) == (104.5, 54.5)
    assert spot.peak_ratio == 10
    assert spot.mean_ratio == pytest.approx((99 * 160 + 400) / 100 / 40)
    assert spot.ring_ratio == pytest.approx(spot.mean_ratio)
    assert spot.probability is None
    assert spot.other_view_id is None
    assert spot.suspicious
    assert spot.reason == "peak 10.0 times the ribs' median, seen in this view only"
    body.spacing = None
    assert describe(body)[A, 3].area_mm2 is None


def test_the_normal_is_that_of_the_same_side_without_hot_spots(body):
    body.heat(0, slice(80, 140), slice(45, 65), 2)  # all ribs of the right side
    body.heat(0, slice(80, 111), slice(45, 65), 3, label=1)  # more than half of them
    spot = describe(body)[A, 1]
    assert spot.peak_ratio == pytest.approx(3)
    # The whole side is hot: the normal is that of both sides without it.
    body.labels[body.at(0, slice(80, 140), slice(45, 65))] = 1
    assert describe(body)[A, 1].peak_ratio == pytest.approx(6)


def test_one_lesion_in_both_views_is_paired(body):
    for view, number in ((0, 4), (1, 9)):
        body.heat(view, *RIB, 4, label=number)
    body.heat(1, slice(100, 110), slice(100, 110), 4, label=2)  # the other side, in the posterior view only
    spots = describe(body)
    assert spots[A, 4].other_view_id == 9
    assert spots[P, 9].other_view_id == 4
    assert spots[P, 2].other_view_id is None
    assert (spots[P, 9].side, spots[P, 2].side) == ("right", "left")
    assert "seen from both sides" in spots[A, 4].reason
    assert "alike on the other side" in spots[P, 2].reason


def test_views_that_are_shifted_are_paired_by_the_ends_of_their_regions(body):
    for view in range(2):
        body.heat(view, *RIB, 4, label=1)
    for image in (body.counts, body.regions, body.labels):
        image[1] = np.roll(image[1], (-8, 15), axis=(0, 1))
    assert describe(body)[A, 1].other_view_id == 1


def test_joints_and_mirrored_spots_are_not_suspicious_without_a_model(body):
    body.heat(0, slice(324, 336), slice(55, 67), 5, label=1)  # the right knee
    body.heat(0, slice(210, 220), slice(55, 65), 5, label=2)  # both iliac bones
    body.heat(0, slice(210, 220), slice(96, 106), 5, label=3)
    body.heat(0, slice(160, 170), slice(77, 84), 2, label=4)
    body.heat(0, slice(180, 190), slice(77, 84), 5, label=5)
    body.heat(0, slice(40, 44), slice(78, 82), 5, label=6)  # the jaw
    body.heat(0, slice(14, 20), slice(78, 84), 5, label=7)  # the top of the skull
    spots = describe(body)
    suspicious = [spots[A, number].suspicious for number in range(1, 8)]
    assert suspicious == [False, False, False, False, True, False, True]
    assert "in the face" in spots[A, 6].reason
    assert "at the knee" in spots[A, 1].reason
    assert spots[A, 5].side == ""


def test_a_model_decides_by_its_probability(body):
    lesion, benign = np.zeros((2, *body.regions.shape), np.float32)
    body.heat(0, *RIB, 4, label=1)
    body.heat(0, slice(180, 190), slice(77, 84), 9, label=2)
    lesion[body.labels == 1] = 0.75
    lesion[body.labels == 2] = 0.125
    benign[body.labels == 2] = 0.625
    spots = describe(body, classes=UptakeClasses(lesion, benign, "net", "c0de"))
    assert [(spot.probability, spot.suspicious) for spot in spots.values()] == [(0.75, True), (0.125, False)]
    assert spots[A, 1].reason.startswith("probability of a metastasis 0.75, peak 4.0 times the ribs' median")
    assert spots[A, 2].reason.startswith(
        "probability of a metastasis 0.12 (suspicious from 0.15), likelier a worn joint, fracture or Paget's disease "
        "(0.62), peak"
    )


def test_a_decided_verdict_stays_and_says_so(body):
    body.heat(0, *RIB, 4, label=1)
    verdict = HotSpotVerdict(False, by_reader=True)
    spot = describe(body, decided={(A, 1): verdict})[A, 1]
    assert spot.verdict == verdict
    assert spot.reason == "decided by the reader, peak 4.0 times the ribs' median, seen in this view only"


def test_a_spot_outside_bone_is_described_and_not_suspicious(body):
    body.heat(0, slice(240, 246), slice(75, 82), 20, label=1)
    spot = describe(body)[A, 1]
    assert (spot.region, spot.side, spot.suspicious, spot.reason) == ("background", "", False, "outside bone")
