from __future__ import annotations

from dataclasses import replace

import numpy as np

from measurement.comparison.conftest import measured
from napari_bonescint.measurement.comparison.changes import Change
from napari_bonescint.measurement.comparison.comparing import compare

SPINE = (slice(160, 168), slice(77, 83))


def scan_with(body, heat, *, marked, seed=0, hot=SPINE, outlined=None):
    """A scan of the drawn body with counting noise, hotter at one place, which is marked as a hot spot or not."""
    counts, labels = body.counts.astype(float), np.zeros_like(body.labels)
    for view in (0, 1):
        counts[body.at(view, *hot)] *= heat
        labels[body.at(view, *(outlined or hot))] = int(marked)
    drawn = np.random.default_rng(seed).poisson(counts).astype(np.uint16)
    return measured(replace(body.scan, counts=drawn), body.regions, labels)


def test_a_place_that_was_as_bright_before_is_not_new_though_nobody_marked_it(body):
    (lesion,) = compare(scan_with(body, 2.0, marked=True), scan_with(body, 2.0, marked=False, seed=1)).lesions
    assert lesion.change is Change.SAME
    assert lesion.reason == "Only the new scan has a hot spot here, but the prior scan shows as much uptake there."
    (lesion,) = compare(scan_with(body, 2.0, marked=False), scan_with(body, 2.0, marked=True, seed=1)).lesions
    assert lesion.change is Change.SAME


def test_a_place_that_is_brighter_now_is_new_whatever_the_number_of_counts(body):
    before = scan_with(body, 1.0, marked=False, seed=1)
    few = replace(before, scan=replace(before.scan, counts=before.scan.counts // 3))
    for old in (before, few):
        (lesion,) = compare(scan_with(body, 2.0, marked=True), old).lesions
        assert lesion.change is Change.NEW
    (lesion,) = compare(before, scan_with(body, 2.0, marked=True)).lesions
    assert lesion.change is Change.GONE


def test_a_lesion_is_larger_if_its_area_and_its_uptake_rose_beyond_the_noise(body):
    twice = (slice(156, 172), SPINE[1])
    small, large = scan_with(body, 3.0, marked=True), scan_with(body, 3.0, marked=True, seed=1, hot=twice)
    (grown,) = compare(large, small).lesions
    assert grown.change is Change.LARGER
    assert grown.area_ratio == 2
    assert grown.uptake_ratio > grown.uptake_limit > 1.2
    assert f"within noise: 0.80 to 1.25 and {1 / grown.uptake_limit:.2f} to {grown.uptake_limit:.2f}." in grown.reason
    (shrunk,) = compare(small, large).lesions
    assert shrunk.change is Change.SMALLER
    assert shrunk.uptake_ratio < 1 / shrunk.uptake_limit
    # Twice the outline around the same uptake is no growth, and neither is more uptake in the same outline.
    (outlined,) = compare(scan_with(body, 3.0, marked=True, seed=1, outlined=twice), small).lesions
    assert (outlined.change, outlined.area_ratio) == (Change.SAME, 2)
    assert 1 / outlined.uptake_limit < outlined.uptake_ratio < outlined.uptake_limit
    assert outlined.reason.startswith("Area 2.00 times and uptake ")
    (brighter,) = compare(scan_with(body, 6.0, marked=True, seed=1), small).lesions
    assert (brighter.change, brighter.area_ratio) == (Change.SAME, 1)
    assert brighter.uptake_ratio > brighter.uptake_limit
    # Fewer counts leave more noise.
    few = replace(small, scan=replace(small.scan, counts=small.scan.counts // 5))
    assert compare(few, small).lesions[0].uptake_limit > grown.uptake_limit
