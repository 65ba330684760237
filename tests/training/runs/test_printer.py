from __future__ import annotations

from typing import TYPE_CHECKING

from napari_bonescint.training.data.sources import SimulatedCaseFiles
from napari_bonescint.training.data.training_data import TrainingData
from napari_bonescint.training.loop.listener import StepPlan, TrainingProgress
from napari_bonescint.training.runs.printer import Printer

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from napari_bonescint.training.loop.recipe import Recipe


def test_a_terminal_tells_how_a_training_goes(
    recipe: Recipe, cases: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    printer = Printer(recipe, TrainingData(None, SimulatedCaseFiles(cases), ()), tmp_path / "request")
    printer.on_fit_start(4, [{"model": "fdn-13", "tensors": 20, "of": 34}], resumed=True)
    printer.on_plan(StepPlan(40, 90, 2.5, 0.125))
    printer.on_train_epoch_end(TrainingProgress(10, 40, 0.25, 0.001, 7.5, 300.0))
    printer.on_pause(10)
    printer.on_fit_end(10, 40)
    printer.on_fit_end(40, 40)
    planned = (
        "40 of the recipe's 90 steps (0.12 s each) fit into 2.5 minutes; this number is now fixed, and the learning "
        "rate falls over these steps"
    )
    assert capsys.readouterr().out.splitlines() == [
        "tiny: 2 cases, from step 4",
        "tiny: started from 20 of 34 tensors of fdn-13",
        f"tiny: {planned}",
        "step 10/40  loss 0.2500  7.5 views/s  5 min left",
        f"paused at step 10, until {tmp_path / 'request'} is removed",
        "10 of 40 steps are done; the same command continues",
    ]
