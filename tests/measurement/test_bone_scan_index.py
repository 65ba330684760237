"""The index against sums by hand."""

import numpy as np
import pytest

from napari_bonescint.anatomy import CODES, REGIONS
from napari_bonescint.measurement.bone_scan_index import MASS_PERCENT, bone_scan_index
from napari_bonescint.measurement.measures import HotSpot, HotSpotVerdict
from napari_bonescint.scan import View, ViewName

A, P = ViewName.ANTERIOR, ViewName.POSTERIOR


def spot(number, view, suspicious):
    return HotSpot(number, view, "ribs", "", 0, 0, 1, None, 1, 1, 1, None, HotSpotVerdict(suspicious), "")


def test_masses_are_those_of_the_whole_skeleton():
    assert set(MASS_PERCENT) == {region.name for region in REGIONS[1:]}
    assert sum(MASS_PERCENT.values()) == pytest.approx(100, abs=0.05)


def test_only_suspicious_spots_count_and_views_are_pooled():
    regions, labels = np.zeros((2, 40, 40), np.uint8), np.zeros((2, 40, 40), np.uint16)
    regions[0, :10, :10] = CODES["ribs"]
    regions[1, :10, :20] = CODES["ribs"]
    regions[:, 20:30, :10] = CODES["femur"]
    regions[:, 30:40, :10] = CODES["foot"]
    labels[0, :2, :10] = 1
    labels[0, 4:6, :10] = 2
    labels[1, :1, :10] = 1
    labels[1, 30:35, :10] = 7
    labels[0, 20:25, 5:15] = 3  # half of it lies beside the bone
    spots = [spot(1, A, True), spot(2, A, False), spot(3, A, True), spot(1, P, True), spot(7, P, True)]
    index = bone_scan_index(regions, labels, spots, (View(A), View(P)))
    parts = {part.region: part for part in index.by_region}
    assert (parts["ribs"].hot_pixels, parts["ribs"].pixels) == (30, 300)
    assert parts["ribs"].index == pytest.approx(0.1 * 8.59)
    assert parts["femur"].index == pytest.approx(25 / 200 * 15.27)
    assert index.total == pytest.approx(0.1 * 8.59 + 0.125 * 15.27)
    assert index.with_distal == pytest.approx(index.total + 50 / 200 * 7.18)
    assert index.by_view == {A: pytest.approx(0.2 * 8.59 + 0.25 * 15.27), P: pytest.approx(0.05 * 8.59)}
    assert "skull" not in parts


def test_the_sternum_counts_from_the_front_only():
    regions = np.full((2, 10, 10), CODES["sternum"], np.uint8)
    labels = np.zeros((2, 10, 10), np.uint16)
    labels[1] = 1
    assert bone_scan_index(regions, labels, [spot(1, P, True)], (View(A), View(P))).total == 0
    labels[0, :5] = 1
    both = bone_scan_index(regions, labels, [spot(1, A, True), spot(1, P, True)], (View(A), View(P)))
    assert both.total == pytest.approx(0.5 * 0.64)


def test_one_view_alone_has_its_own_index():
    regions = np.full((1, 10, 10), CODES["skull"], np.uint8)
    labels = np.zeros((1, 10, 10), np.uint16)
    labels[0, 0] = 4
    index = bone_scan_index(regions, labels, [spot(4, P, True)], (View(P),))
    assert index.by_view == {P: pytest.approx(1.129)}
    assert index.total == pytest.approx(1.129)
