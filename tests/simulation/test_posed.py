from __future__ import annotations

import numpy as np
import pytest

from napari_bonescint.simulation.posed import SIDES, PosedBones, Spot


def test_sides_are_told_apart(bones: PosedBones) -> None:
    assert bones.of("femur", "left")[:, 0].min() > bones.of("femur", "right")[:, 0].max()
    assert len(bones.of("femur", "left")) + len(bones.of("femur", "right")) == len(bones.of("femur"))


@pytest.mark.parametrize("side", SIDES)
def test_a_hip_lies_above_and_inside_of_the_shaft(bones: PosedBones, side: str) -> None:
    hip, femur = bones.hip(side), bones.middle("femur", side)
    assert abs(hip[0]) < abs(femur[0])
    # The head is at the upper end of a bone 430 to 460 mm long.
    assert 170 < hip[2] - femur[2] < 240


@pytest.mark.parametrize("side", SIDES)
def test_landmarks_of_the_shoulder_lie_as_in_anatomy(bones: PosedBones, side: str) -> None:
    acromion = bones.extreme("scapula", side, (0.7, 0, 1))
    coracoid = bones.extreme("scapula", side, (0.3, -1, 0.3))
    assert abs(acromion[0]) > abs(bones.middle("scapula", side)[0])
    assert coracoid[1] < acromion[1]


def test_ribs_come_from_the_top_down(bones: PosedBones) -> None:
    heights = [bones.position[part, 2].mean() for part in bones.pieces("ribs")]
    assert heights == sorted(heights, reverse=True)


def test_spots_add_up_and_end(bones: PosedBones) -> None:
    centre = bones.middle("sternum")
    once = bones.add_up([Spot(centre, 2.0, 10)])
    np.testing.assert_allclose(bones.add_up([Spot(centre, 2.0, 10)] * 2), 2 * once)
    distance = np.linalg.norm(bones.position - centre, axis=1)
    np.testing.assert_allclose(once[distance < 20], 2 * np.exp(-((distance[distance < 20] / 10) ** 2) / 2), rtol=1e-3)
    assert once[np.abs(bones.position[:, 2] - centre[2]) > 31].max() == 0
