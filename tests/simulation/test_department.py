"""The invented department: its patients come again as the same bodies, on other days."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from napari_bonescint.anatomy import CODES
from napari_bonescint.simulation.case import SOURCES
from napari_bonescint.simulation.department import (
    PATIENTS,
    DepartmentSkeleton,
    examinations,
    scan_department,
    simulate_department,
)
from napari_bonescint.simulation.geometry import BonePoints, load_model
from napari_bonescint.simulation.splits import read_splits


@pytest.fixture(scope="module")
def skeleton_there(points: BonePoints) -> DepartmentSkeleton:
    return DepartmentSkeleton(load_model(), points)


def test_no_shipped_model_learnt_from_or_was_scored_on_its_bodies() -> None:
    for split in read_splits().values():
        assert not any(split.holds(seed) for seed in (PATIENTS[0], PATIENTS[-1], *split.seeds) if seed in PATIENTS)


def test_patients_come_one_to_three_times_and_each_time_later() -> None:
    of_patient = [examinations(seed) for seed in PATIENTS[:300]]
    often = Counter(map(len, of_patient))
    assert often.keys() == {1, 2, 3}
    assert 0.5 < often[1] / 300 < 0.7
    for found in of_patient:
        days = [each.day for each in found]
        assert days == sorted(set(days))
        assert [each.visit for each in found] == list(range(1, len(found) + 1))
        assert len({each.study.patient_id for each in found}) == 1
    assert examinations(PATIENTS[0]) == of_patient[0]


def test_a_patient_who_comes_again_has_the_same_bones_and_lies_another_way(skeleton_there: DepartmentSkeleton) -> None:
    seed = 30_003
    first, second = (simulate_department(skeleton_there, seed, visit) for visit in (1, 2))
    other = simulate_department(skeleton_there, 30_004, 1)

    # The length of the spine, in mm, is the body's; where bones lie is the day's.
    assert length_mm(second) == pytest.approx(length_mm(first), rel=0.03)
    assert abs(length_mm(other) / length_mm(first) - 1) > 0.04
    assert first.regions.shape != second.regions.shape or np.mean(first.regions != second.regions) > 0.01
    # The bones' own uptake is the body's, too.
    assert share_of_head(second) == pytest.approx(share_of_head(first), rel=0.15)
    np.testing.assert_array_equal(simulate_department(skeleton_there, seed, 2).expected, second.expected)

    counts = [scan_department(case, seed, visit).counts.sum() for case, visit in ((first, 1), (first, 2))]
    assert counts[0] != counts[1]
    assert (scan_department(first, seed, 1).counts.sum(), scan_department(first, seed, 2).counts.sum()) == tuple(counts)


def length_mm(case) -> float:
    """From the upper end of the thoracic to the lower end of the lumbar spine, seen from behind."""
    spine = np.isin(case.regions[1], [CODES["thoracic_spine"], CODES["lumbar_spine"]])
    rows = np.flatnonzero(spine.any(axis=1))
    return float(rows[-1] - rows[0] + 1) * case.pixel_mm


def share_of_head(case) -> float:
    """Counts of the head over those of the legs."""
    return float(case.expected[SOURCES.index("head")].sum() / case.expected[SOURCES.index("legs")].sum())
