from __future__ import annotations

from dataclasses import replace

import numpy as np

from napari_bonescint.anatomy import CODES
from napari_bonescint.simulation.pose import SEGMENTS, Pose, Skeleton, draw_pose

STANDING = Pose({}, dict.fromkeys(SEGMENTS, 1.0), {}, np.ones(3), {}, np.zeros((0, 7)))


def middle(skeleton: Skeleton, position: np.ndarray, region: str) -> np.ndarray:
    return position[skeleton.points.region == CODES[region]].mean(axis=0)


def test_the_standing_model_is_a_man_of_1_70_m(skeleton: Skeleton) -> None:
    position = skeleton.place(STANDING)
    assert 1650 < np.ptp(position[:, 2]) < 1750
    assert middle(skeleton, position, "skull")[2] > middle(skeleton, position, "pelvis")[2]
    # The sternum lies before the spine, towards the anterior camera.
    assert middle(skeleton, position, "sternum")[1] < middle(skeleton, position, "thoracic_spine")[1] - 60


def test_left_bones_lie_to_the_left(skeleton: Skeleton) -> None:
    position = skeleton.place(STANDING)
    femur = skeleton.points.region == CODES["femur"]
    assert position[femur & skeleton.left, 0].min() > position[femur & ~skeleton.left, 0].max()


def test_scales_make_people_larger_and_legs_longer(skeleton: Skeleton) -> None:
    small = np.ptp(skeleton.place(STANDING)[:, 2])
    assert np.isclose(np.ptp(skeleton.place(replace(STANDING, stretch=np.full(3, 0.9)))[:, 2]), 0.9 * small)
    legs = skeleton.place(replace(STANDING, scales=STANDING.scales | {"leg": 1.1}))
    assert 1.03 * small < np.ptp(legs[:, 2]) < 1.08 * small


def test_girth_thickens_a_long_bone_only_across(skeleton: Skeleton) -> None:
    humerus = (skeleton.points.region == CODES["humerus"]) & skeleton.left
    thin = np.ptp(skeleton.place(STANDING)[humerus], axis=0)
    thick = np.ptp(skeleton.place(replace(STANDING, girths={"arm": 1.5}))[humerus], axis=0)
    assert thick[1] > 1.2 * thin[1]
    np.testing.assert_allclose(thick[2], thin[2], rtol=0.05)


def test_a_bent_knee_takes_the_kneecap_along(skeleton: Skeleton) -> None:
    patella = np.isin(skeleton.points.piece, [i for i, n in enumerate(skeleton.points.pieces) if n == "patella_r"])
    moved = skeleton.place(replace(STANDING, joints={"knee_angle_r": 0.6}))[patella].mean(axis=0)
    still = skeleton.place(STANDING)[patella].mean(axis=0)
    assert 5 < np.linalg.norm(moved - still) < 80


def test_volume_follows_size(skeleton: Skeleton) -> None:
    before = skeleton.volumes(STANDING)
    np.testing.assert_array_equal(before, skeleton.points.volume)
    larger = skeleton.volumes(replace(STANDING, stretch=np.full(3, 1.1), girths={"arm": 1.5}))
    humerus = skeleton.points.region == CODES["humerus"]
    np.testing.assert_allclose(larger[~humerus].sum() / before[~humerus].sum(), 1.1**3, rtol=0.08)
    np.testing.assert_allclose(larger[humerus].sum() / before[humerus].sum(), 1.1**3 * 1.5**2, rtol=1e-4)


def test_every_joint_that_is_drawn_exists(skeleton: Skeleton) -> None:
    for seed in range(3):
        assert np.isfinite(skeleton.place(draw_pose(np.random.default_rng(seed)))).all()


def test_posing_leaves_the_skeleton_as_it_was(skeleton: Skeleton) -> None:
    before = skeleton.place(STANDING)
    skeleton.place(draw_pose(np.random.default_rng(3)))
    np.testing.assert_array_equal(skeleton.place(STANDING), before)
