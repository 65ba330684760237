from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_bonescint.evaluation.report.results_store import ModelResults


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
