from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from napari_bonescint.training.loop.fabric import start_fabric
from napari_bonescint.training.loop.recipe import Recipe

if TYPE_CHECKING:
    from lightning_fabric import Fabric


@pytest.fixture
def recipe() -> Recipe:
    return Recipe(
        name="tiny",
        description="For tests",
        architecture="fdn-5",
        outputs=17,
        grid_mm=8.0,
        rows=64,
        columns=32,
        batch=2,
        keep_phases=(4,),
        learning_rate=0.003,
        warm_up=2,
        steps=30,
        dice_weight=0.5,
        average=0.9,
        seed=1,
    )


@pytest.fixture
def fabric() -> Fabric:
    """One process on the CPU."""
    return start_fabric("cpu")
