from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.simulation.pathology import Course, LesionKind, add_all, lesions, replace_joints, wear

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


def test_a_course_changes_and_adds_metastases_and_leaves_the_rest_of_the_body(
    bones: PosedBones, patient: Patient
) -> None:
    # A seed with fractures.
    ill = replace(patient, metastases=3)

    def draw(*sizes: float) -> list:
        return lesions(np.random.default_rng(3), bones, ill, Course(sizes))

    plain = lesions(np.random.default_rng(3), bones, ill)
    changed = draw(1.0, 0.0, 1.8, 1.0, 0.0)
    assert len(changed) == len(plain) + 2
    for mine, other in zip(plain, changed, strict=False):
        if mine is plain[1]:
            assert len(other.points) == 0
        elif mine is plain[2]:
            assert np.abs(other.added).sum() > 2 * np.abs(mine.added).sum()
            assert np.isin(mine.points, other.points).all()
        else:
            np.testing.assert_array_equal(mine.points, other.points)
            np.testing.assert_array_equal(mine.added, other.added)
    assert len(changed[-2].points) > 0
    assert len(changed[-1].points) == 0
    # The further ones are the same at another visit, whichever of them are there.
    np.testing.assert_array_equal(draw(1, 1, 1, 1, 1)[-2].points, changed[-2].points)
