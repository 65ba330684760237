"""Uptake of a drawn body, against counts by hand."""

import numpy as np
import pytest

from napari_bonescint.measurement.measuring import remeasure
from napari_bonescint.measurement.uptake import measure_uptake


def rows_of(body):
    return {(row.view, row.region, row.side): row for row in measure_uptake(body.scan, body.regions)}


def test_regions_and_sides_are_measured_in_both_views(body):
    body.heat(0, slice(250, 330), slice(94, 106), 2)  # the left femur
    body.heat(1, slice(250, 330), slice(94, 106), 2)
    rows = rows_of(body)
    for view in ("anterior", "posterior"):
        left, right, both = (rows[view, "femur", side] for side in ("left", "right", ""))
        assert (left.pixels, left.area_mm2, left.counts, left.mean_counts) == (960, 3840, 76800, 80)
        assert right.mean_counts == 40
        assert both.counts == 76800 + 38400
        assert left.left_right_ratio == both.left_right_ratio == 2
        assert rows[view, "lower_leg", ""].left_right_ratio == 1
        assert rows[view, "sacrum", ""].left_right_ratio is None
        assert (view, "foot", "") not in rows
        skeleton = rows[view, "skeleton", ""]
        assert skeleton.pixels == np.count_nonzero(body.regions[0])
        assert skeleton.counts == body.counts[0][body.regions[0] > 0].sum()
        assert left.share_of_counts == pytest.approx(76800 / body.counts[0].sum())


def test_bladder_and_injection_site_do_not_count_in_the_body(body):
    whole = body.counts[0].sum()
    body.heat(0, slice(235, 260), slice(72, 90), 100)  # the bladder, below the sacrum
    body.heat(0, slice(300, 315), slice(32, 42), 1000)  # a missed vein
    share = rows_of(body)["anterior", "ribs", ""].share_of_counts
    # Blur spreads some of their counts to neighbours, which are left out, too.
    assert share == pytest.approx(2 * 60 * 20 * 40 / whole, rel=0.05)
    # A hot bone stays.
    hot = rows_of(body)["posterior", "ribs", ""].share_of_counts
    body.heat(1, slice(100, 130), slice(45, 65), 10)
    assert rows_of(body)["posterior", "ribs", ""].share_of_counts > 2 * hot


def test_what_the_input_does_not_allow_is_absent(body):
    body.spacing = None
    body.counts = body.counts.astype(np.uint8)
    row = rows_of(body)["anterior", "ribs", "left"]
    assert (row.pixels, row.area_mm2, row.counts, row.share_of_counts) == (1200, None, None, None)
    assert (row.mean_counts, row.left_right_ratio) == (None, None)


def test_one_sentence_a_view_names_the_bones_behind_urine(body):
    assert remeasure(body.scan, body.regions, body.labels).warnings == ()
    body.counts[body.at(0, slice(222, 246), slice(66, 95))] += 600
    (sentence,) = remeasure(body.scan, body.regions, body.labels).warnings
    assert sentence == (
        "The anterior view shows urine or the injection site in front of the sacrum and pelvis; their uptake is too "
        "high."
    )
    # At the patient's left side alone.
    body.counts[body.at(1, slice(222, 246), slice(85, 95))] += 900
    first, second = remeasure(body.scan, body.regions, body.labels).warnings
    assert first == sentence
    assert second.startswith("The posterior view shows urine or the injection site in front of the ")
    assert "left pelvis; " in second
    assert "right" not in second
