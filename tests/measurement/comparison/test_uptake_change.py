from __future__ import annotations

from dataclasses import replace

import numpy as np

from measurement.comparison.conftest import measured
from napari_bonescint.measurement.comparison.changes import Change
from napari_bonescint.measurement.comparison.comparing import compare

SPINE = (slice(160, 168), slice(77, 83))


def scan_with(body, heat, *, marked, seed=0):
    """A scan of the drawn body with counting noise, hotter at one place, which is marked as a hot spot or not."""
    counts, labels = body.counts.astype(float), np.zeros_like(body.labels)
    for view in (0, 1):
        at = body.at(view, *SPINE)
        counts[at] *= heat
        labels[at] = int(marked)
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
