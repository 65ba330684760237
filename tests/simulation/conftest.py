from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from napari_bonescint.simulation.case import Case, simulate
from napari_bonescint.simulation.geometry import load_model
from napari_bonescint.simulation.pose import Skeleton

if TYPE_CHECKING:
    from napari_bonescint.simulation.geometry import BonePoints


@pytest.fixture(scope="session")
def skeleton(points: BonePoints) -> Skeleton:
    return Skeleton(load_model(), points)


@pytest.fixture(scope="session")
def case(skeleton: Skeleton) -> Case:
    return simulate(skeleton, seed=12)
