from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_bonescint.simulation.case import Case
from napari_bonescint.training.recipe import Recipe

if TYPE_CHECKING:
    from pathlib import Path


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
def case() -> Case:
    """Two bars of different bones in soft tissue."""
    regions = np.zeros((2, 256, 128), np.uint8)
    regions[:, 20:120, 55:75] = 3
    regions[:, 150:240, 40:60] = 14
    bone = np.where(regions == 3, 4.0, np.where(regions == 14, 1.5, 0)).astype(np.float32)
    soft = np.zeros_like(bone)
    soft[:, 10:250, 25:100] = 0.2
    urine = np.zeros_like(bone)
    urine[:, 125:140, 60:70] = 30
    return Case(np.stack([bone, soft, urine]), regions, 2.0)


@pytest.fixture
def cases(tmp_path: Path, case: Case) -> list[Path]:
    paths = [tmp_path / f"case_{seed:06d}.npz" for seed in range(2)]
    for path in paths:
        case.save(path)
    return paths
