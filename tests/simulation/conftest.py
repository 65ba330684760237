from __future__ import annotations

import pytest

from napari_bonescint.simulation.case import Case, simulate
from napari_bonescint.simulation.geometry import BonePoints, build_points, load_model
from napari_bonescint.simulation.pose import Skeleton


@pytest.fixture(scope="session")
def points() -> BonePoints:
    """The whole skeleton, more coarsely than for training."""
    return build_points(load_model(), fine_mm=2.0)


@pytest.fixture(scope="session")
def skeleton(points: BonePoints) -> Skeleton:
    return Skeleton(load_model(), points)


@pytest.fixture(scope="session")
def case(skeleton: Skeleton) -> Case:
    return simulate(skeleton, seed=12)
