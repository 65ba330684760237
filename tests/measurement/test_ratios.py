"""Ratios of a drawn body."""

import numpy as np
import pytest

from napari_bonescint.measurement.measuring import remeasure


def ratios_of(body):
    return {ratio.name: ratio for ratio in remeasure(body.scan, body.regions, body.labels).ratios}


def test_ratios_are_those_of_the_drawn_counts(body):
    for view in range(2):
        body.heat(view, slice(150, 185), slice(52, 66), 4)  # the right kidney: 32 counts against 40 of the spine
        body.heat(view, slice(150, 180), slice(76, 85), 6, label=1)  # most of the lumbar spine
    body.heat(0, slice(250, 330), slice(94, 106), 4)  # the left femur: twice as hot in the geometric mean
    found = ratios_of(body)
    assert found["kidney_to_lumbar_spine"].value == pytest.approx(32 / 40, rel=0.1)
    assert found["lumbar_spine_to_soft_tissue"].value == pytest.approx(40 / 8)
    assert found["femur_to_soft_tissue"].value == pytest.approx((40 + 160) / 2 / 8)
    assert found["sacroiliac_to_sacrum_left"].value == pytest.approx(1)
    assert found["geometric_left_right_femur"].value == pytest.approx(2)
    assert found["geometric_mean_counts_sacrum"].value == pytest.approx(30 * 21 * 40)
    assert all(
        ratio.definition.endswith(".") and bool(ratio.absent) is (ratio.value is None) for ratio in found.values()
    )


def test_a_ratio_that_cannot_be_measured_has_its_reason(body):
    found = ratios_of(body)
    assert (
        found["kidney_to_lumbar_spine"].absent == "No kidney stands out from the soft tissue beside the lumbar spine."
    )
    assert found["geometric_mean_counts_foot"].absent == "Not both views show the foot."
    body.counts = body.counts.astype(np.uint8)
    assert {(ratio.value, "8 bits" in ratio.absent) for ratio in ratios_of(body).values()} == {(None, True)}
