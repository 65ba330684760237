from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.simulation.pathology import lesions, replace_joints, wear

if TYPE_CHECKING:
    from napari_bonescint.simulation.patient import Patient
    from napari_bonescint.simulation.posed import PosedBones


def test_only_worn_joints_are_hotter(bones: PosedBones, patient: Patient) -> None:
    rng = np.random.default_rng(0)
    np.testing.assert_array_equal(wear(rng, bones, patient), 1)
    worn = wear(rng, bones, replace(patient, worn=1.0))
    assert worn.min() >= 1
    assert 1.5 < worn.max() < 10
    assert np.median(worn) < 1.05


def test_metastases_are_spots_and_some_are_cold(bones: PosedBones, patient: Patient) -> None:
    extra = lesions(np.random.default_rng(0), bones, replace(patient, metastases=40))
    assert extra.max() > 1
    assert extra.min() < -0.5
    assert np.mean(np.abs(extra) > 0.5) < 0.4


def test_some_of_the_healthy_have_fractures_and_most_nothing(bones: PosedBones, patient: Patient) -> None:
    hottest = np.array([lesions(np.random.default_rng(seed), bones, patient).max() for seed in range(40)])
    assert 0.5 < np.mean(hottest == 0) < 0.95
    assert (hottest > 1).any()


def test_a_prosthesis_is_cold_with_a_rim(bones: PosedBones) -> None:
    cold, hot = [], []
    for seed in range(80):
        density = np.ones(len(bones.position), np.float32)
        replace_joints(np.random.default_rng(seed), bones, density)
        legs = np.concatenate([bones.indices("femur"), bones.indices("lower_leg")])
        assert (np.delete(density, legs) == 1).all()
        cold.append(density.min())
        hot.append(density.max())
    with_metal = np.array(cold) < 0.2
    assert 0 < with_metal.sum() < 20
    assert max(np.array(hot)[with_metal]) > 1.3
