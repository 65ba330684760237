from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_bonescint.simulation.body import Body, wrap
from napari_bonescint.simulation.case import Case, simulate
from napari_bonescint.simulation.geometry import load_model
from napari_bonescint.simulation.patient import Patient
from napari_bonescint.simulation.pose import SEGMENTS, Pose, Skeleton
from napari_bonescint.simulation.posed import PosedBones

STANDING = Pose({}, dict.fromkeys(SEGMENTS, 1.0), {}, np.ones(3), {}, np.zeros((0, 7)))

if TYPE_CHECKING:
    from napari_bonescint.simulation.geometry import BonePoints


@pytest.fixture(scope="session")
def skeleton(points: BonePoints) -> Skeleton:
    return Skeleton(load_model(), points)


@pytest.fixture(scope="session")
def case(skeleton: Skeleton) -> Case:
    return simulate(skeleton, seed=12)


@pytest.fixture(scope="session")
def bones(skeleton: Skeleton) -> PosedBones:
    """The skeleton as the model stands."""
    return PosedBones(skeleton.points, skeleton.place(STANDING), skeleton.left)


@pytest.fixture(scope="session")
def body(bones: PosedBones) -> Body:
    return wrap(bones.position, bones.points.region, bones.left, 0.5)


@pytest.fixture
def patient() -> Patient:
    """Healthy and grown up."""
    return Patient(1.0, 0.5, 2.0, False, False, 0.0, 0, False, 0.5)
