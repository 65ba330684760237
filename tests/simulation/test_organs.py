from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_bonescint.simulation.organs import draw_excreted, ellipsoid, tube

if TYPE_CHECKING:
    from napari_bonescint.simulation.patient import Patient
    from napari_bonescint.simulation.posed import PosedBones


def test_an_ellipsoid_has_its_size_and_tracer() -> None:
    blob = ellipsoid(np.array([10.0, 0, -5]), (30, 20, 10), 0.5)
    assert blob.activity.sum() == pytest.approx(0.5 * 4 / 3 * np.pi * 30 * 20 * 10, rel=1e-4)
    np.testing.assert_allclose(blob.position.mean(axis=0), (10, 0, -5), atol=0.5)
    # The variance of an even ball of radius r along an axis is r^2 / 5.
    np.testing.assert_allclose(blob.position.var(axis=0), np.array([900, 400, 100]) / 5, rtol=0.05)


def test_a_tube_runs_along_its_way() -> None:
    line = tube([np.zeros(3), np.array([100.0, 0, 0]), np.array([100.0, 0, 50])], 3, 2.0)
    assert line.activity.sum() == pytest.approx(2 * np.pi * 9 * 150, rel=1e-4)
    assert line.position[:, 1].max() == 0
    assert (np.minimum(np.abs(line.position[:, 2]), np.abs(line.position[:, 0] - 100)) < 1e-3).all()


def test_bladders_range_from_faint_to_hot_and_lie_in_the_pelvis(bones: PosedBones, patient: Patient) -> None:
    pelvis = bones.of("pelvis")
    low, high = pelvis.min(axis=0), pelvis.max(axis=0)
    low[1] -= 60
    within = []
    for seed in range(40):
        tracer = draw_excreted(np.random.default_rng(seed), bones, patient)
        assert np.isfinite(tracer.activity).all()
        within.append(tracer.activity[((tracer.position > low) & (tracer.position < high)).all(axis=1)].sum())
    assert np.quantile(within, 0.9) > 20 * np.quantile(within, 0.1) > 0


def test_a_superscan_has_hardly_any_kidneys(bones: PosedBones, patient: Patient) -> None:
    def kidneys(superscan: bool) -> float:
        tracer = draw_excreted(np.random.default_rng(2), bones, replace(patient, superscan=superscan))
        loin = np.abs(tracer.position - (bones.middle("lumbar_spine") + np.array([60, 15, 40], np.float32))) < 30
        return float(tracer.activity[loin.all(axis=1)].sum())

    assert kidneys(superscan=True) < 0.1 * kidneys(superscan=False)
