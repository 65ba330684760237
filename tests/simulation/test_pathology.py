from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.simulation.pathology import LesionKind, add_all, lesions, replace_joints, wear

if TYPE_CHECKING:
    from napari_bonescint.simulation.patient import Patient
    from napari_bonescint.simulation.posed import PosedBones


def test_only_worn_joints_are_hotter(bones: PosedBones, patient: Patient) -> None:
    rng = np.random.default_rng(0)
    density = np.full(len(bones.position), 2.0, np.float32)
    assert wear(rng, bones, patient, density) == []
    worn = wear(rng, bones, replace(patient, worn=1.0), density)
    assert {joint.kind for joint in worn} == {LesionKind.JOINT}
    added = add_all(worn, len(density)) / density
    assert added.min() >= 0
    assert 0.5 < added.max() < 9
    assert np.median(added) < 0.05


def test_metastases_are_spots_and_some_are_cold(bones: PosedBones, patient: Patient) -> None:
    drawn = lesions(np.random.default_rng(0), bones, replace(patient, metastases=40))
    assert sum(lesion.kind is LesionKind.METASTASIS for lesion in drawn) == 40
    extra = add_all(drawn, len(bones.position))
    assert extra.max() > 1
    assert extra.min() < -0.5
    assert np.mean(np.abs(extra) > 0.5) < 0.4


def test_some_of_the_healthy_have_fractures_and_most_nothing(bones: PosedBones, patient: Patient) -> None:
    drawn = [lesions(np.random.default_rng(seed), bones, patient) for seed in range(40)]
    assert 0.5 < np.mean([not each for each in drawn]) < 0.95
    kinds = {lesion.kind for each in drawn for lesion in each}
    assert LesionKind.FRACTURE in kinds
    assert LesionKind.METASTASIS not in kinds


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
