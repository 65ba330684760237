from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_bonescint.scan import ViewName
from napari_bonescint.simulation.case import SHAPE, Case, simulate

if TYPE_CHECKING:
    from pathlib import Path

    from napari_bonescint.simulation.pose import Skeleton


def test_a_seed_makes_one_case_and_another_another(skeleton: Skeleton, case: Case) -> None:
    again = simulate(skeleton, seed=12)
    np.testing.assert_array_equal(again.expected, case.expected)
    np.testing.assert_array_equal(again.regions, case.regions)
    assert not np.array_equal(simulate(skeleton, seed=13).regions, case.regions)


def test_a_counted_scan_is_a_scan(case: Case) -> None:
    scan = case.count(np.random.default_rng(0), 1e6, strengths=(1.0, 1.0, 0.0))
    assert scan.counts.shape == (2, *SHAPE)
    assert scan.counts.sum() == pytest.approx(1e6, rel=0.01)
    assert [view.name for view in scan.views] == [ViewName.ANTERIOR, ViewName.POSTERIOR]
    assert scan.spacing == (case.pixel_mm, case.pixel_mm)


def test_bone_is_brighter_than_what_lies_beside_it(case: Case) -> None:
    bone = case.expected[0]
    assert bone[case.regions > 0].mean() > 8 * bone[case.regions == 0].mean()


def test_cases_survive_a_round_trip(case: Case, tmp_path: Path) -> None:
    case.save(tmp_path / "case.npz")
    again = Case.load(tmp_path / "case.npz")
    np.testing.assert_array_equal(again.regions, case.regions)
    scale = again.expected.sum() / case.expected.sum()
    np.testing.assert_allclose(again.expected, case.expected * scale, rtol=2e-3, atol=1e-4)
    assert [path.name for path in tmp_path.iterdir()] == ["case.npz"]
