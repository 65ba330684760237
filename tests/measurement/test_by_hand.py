"""All numbers of a tiny scan, against values that were computed with pencil and paper."""

from __future__ import annotations

import numpy as np
import pytest

from napari_bonescint.anatomy import CODES
from napari_bonescint.measurement.comparison.changes import MeasuredScan
from napari_bonescint.measurement.comparison.comparing import compare
from napari_bonescint.measurement.measures import HotSpotVerdict, Measured
from napari_bonescint.measurement.measuring import remeasure
from napari_bonescint.scan import Scan, View, ViewName

A, P = ViewName.ANTERIOR, ViewName.POSTERIOR
SPINE = slice(4, 24), slice(10, 14)  # 80 pixels of 25 mm²
FEMUR = slice(26, 38)
LEFT_OF_IMAGE, RIGHT_OF_IMAGE = slice(4, 8), slice(16, 20)  # 48 pixels each


def tiny(hot_rows: slice) -> MeasuredScan:
    """Both views of a spine and two femurs, with a suspicious hot spot across the whole spine."""
    regions, counts = np.zeros((2, 40, 24), np.uint8), np.zeros((2, 40, 24), np.uint16)
    regions[(slice(None), *SPINE)] = CODES["lumbar_spine"]
    counts[(0, *SPINE)], counts[(1, *SPINE)] = 10, 40
    # The patient's left is on the right of the anterior view, and on the left of the posterior one.
    femurs = [(0, LEFT_OF_IMAGE, 20), (0, RIGHT_OF_IMAGE, 30), (1, LEFT_OF_IMAGE, 20), (1, RIGHT_OF_IMAGE, 10)]
    for view, columns, value in femurs:
        regions[view, FEMUR, columns] = CODES["femur"]
        counts[view, FEMUR, columns] = value
    labels = np.zeros_like(counts)
    labels[:, hot_rows, SPINE[1]] = 1
    counts[0][labels[0] > 0], counts[1][labels[1] > 0] = 50, 80
    counts[0, 8, 10] = 90
    scan = Scan(counts, (View(A), View(P)), (5.0, 5.0))
    decided = {(view, 1): HotSpotVerdict(True) for view in (A, P)}
    return MeasuredScan(scan, regions, Measured(labels, remeasure(scan, regions, labels, decided)))


def test_uptake_ratios_hot_spots_and_index():
    measures = tiny(slice(8, 10)).measured.measures
    rows = {(row.view, row.region, row.side): row for row in measures.regions}
    spine = rows[A, "lumbar_spine", ""]
    assert (spine.pixels, spine.area_mm2) == (80, 2000)
    assert spine.counts == 72 * 10 + 7 * 50 + 90  # 1160
    assert spine.mean_counts == 14.5
    # The whole view: 1160 of the spine, 48 x 20 and 48 x 30 of the femurs.
    assert spine.share_of_counts == pytest.approx(1160 / 3560)
    assert rows[A, "femur", "left"].mean_counts == 30
    assert rows[A, "femur", ""].left_right_ratio == 1.5
    assert rows[P, "femur", ""].left_right_ratio == 2
    assert rows[P, "skeleton", ""].counts == 72 * 40 + 8 * 80 + 48 * 30

    ratios = {ratio.name: ratio.value for ratio in measures.ratios}
    # Femurs: 2400 counts from the front, 1440 from behind.
    assert ratios["geometric_mean_counts_femur"] == pytest.approx(1859.032, abs=0.001)
    # Left: 1440 and 960; right: 960 and 480; so the ratio is the square root of 3.
    assert ratios["geometric_left_right_femur"] == pytest.approx(1.7320508)

    front, back = measures.hot_spots
    assert (front.pixels, front.area_mm2, front.row, front.column) == (8, 200, 8.5, 11.5)
    assert (front.peak_ratio, front.mean_ratio, front.ring_ratio) == (9, 5.5, 5.5)
    assert (back.peak_ratio, back.mean_ratio, back.ring_ratio) == (2, 2, 2)
    assert (front.other_view_id, back.other_view_id) == (1, 1)

    # 16 of 160 pixels of the lumbar spine, which has 4.74 % of the skeleton's mass.
    assert measures.index.total == pytest.approx(0.474)
    assert measures.index.by_view == {A: pytest.approx(0.474), P: pytest.approx(0.474)}


def test_change_since_a_prior_scan():
    comparison = compare(tiny(slice(8, 10)), tiny(slice(8, 9)))
    assert (comparison.index.new, comparison.index.old) == (pytest.approx(0.474), pytest.approx(0.237))
    assert comparison.index.within_noise
    assert comparison.prior_scale == {A: pytest.approx(1), P: pytest.approx(1)}
    (lesion,) = comparison.lesions
    assert lesion.area_ratio == 2
    # Excess in units of normal pixels. Row 8: 240/10 - 4 = 20 from the front, 320/40 - 4 = 4 from behind; row 9: 16 and
    # 4, in the new scan only. Within the new outline 44 against 24, within the prior one 24 against 24.
    assert lesion.uptake_ratio == pytest.approx(68 / 48, rel=0.02)
    # Excess per pixel: (68 + 48) / 2 / 24 = 2.417, so (1 + level) / level is 1.414. Variance: 0.1² + (0.03 x 1.414)² +
    # 2.5² / 300 mm² + 1.414² x (1/1080 + 1/560 counts) = 0.0381; 2.5 standard deviations are a factor of 1.63.
    assert lesion.uptake_limit == pytest.approx(1.63, abs=0.01)
    assert lesion.change == "same"
    assert lesion.reason.startswith("Area 2.00 times and uptake 1.4")
    assert lesion.reason.endswith("within noise: 0.80 to 1.25 and 0.61 to 1.63.")
