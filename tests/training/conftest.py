from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_bonescint.simulation.case import SOURCES, Case
from napari_bonescint.training.loop.fabric import start_fabric
from napari_bonescint.training.loop.recipe import Recipe

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lightning_fabric import Fabric

    from napari_bonescint.evaluation.report.results_store import ModelResults


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


@pytest.fixture
def case() -> Case:
    """Two bars of different bones in soft tissue."""
    regions = np.zeros((2, 256, 128), np.uint8)
    regions[:, 20:120, 55:75] = 3
    regions[:, 150:240, 40:60] = 14
    expected = np.zeros((len(SOURCES), *regions.shape), np.float32)
    expected[SOURCES.index("spine")][regions == 3] = 4
    expected[SOURCES.index("legs")][regions == 14] = 1.5
    expected[SOURCES.index("soft")][:, 10:250, 25:100] = 0.2
    expected[SOURCES.index("excreted")][:, 125:140, 60:70] = 30
    return Case(expected, regions, 2.0)


@pytest.fixture
def cases(tmp_path: Path, case: Case) -> list[Path]:
    paths = [tmp_path / f"case_{seed:06d}.npz" for seed in range(2)]
    for path in paths:
        case.save(path)
    return paths


@pytest.fixture
def model_results() -> Callable[..., ModelResults]:
    """Makes results of a model on a validation, a test and an external set."""
    from napari_bonescint.evaluation.calibration import Reliability
    from napari_bonescint.evaluation.metrics import Summary
    from napari_bonescint.evaluation.model_scores import Scores, Speed
    from napari_bonescint.evaluation.report.results_store import ModelResults, SetResult

    def make(name: str, outputs: int = 1) -> ModelResults:
        probability = np.repeat([0.9, 0.1], 10)
        bone = np.isin(np.arange(20), [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12])
        summary = Summary(0.9, 0.02, 0.91, 0.85, 4)
        scores = Scores(
            skeleton=summary,
            of_view={"anterior": summary, "posterior": summary},
            macro=summary if outputs > 1 else None,
            regions={"skull": 0.95} if outputs > 1 else {},
            loss=0.05,
            reliability=Reliability.of(probability, bone),
        )
        return ModelResults(
            name=name,
            weights_sha256="ab12",
            architecture=name.removesuffix("-regions"),
            outputs=outputs,
            parameters=488_793,
            grid_mm=4.4,
            speed={"cpu": Speed(1200.4, 5, "Some CPU, 2 of 2 cores")},
            sets={
                kind: SetResult(f"{kind}-hash", kind != "hospital", f"{kind} scans", 2, "2026-11-24", scores)
                for kind in ("validation", "test", "hospital")
            },
        )

    return make
