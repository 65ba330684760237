from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from napari_bonescint.evaluation.metrics import Summary
from napari_bonescint.training.loop.listener import TrainingProgress
from napari_bonescint.training.loop.validation import ValidationScores
from napari_bonescint.training.runs.tensorboard import TensorBoardCurves

if TYPE_CHECKING:
    from pathlib import Path


def test_tensorboard_reads_loss_and_dice(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    curves = TensorBoardCurves(tmp_path)
    curves.on_note("A note is no curve.")
    curves.on_train_epoch_end(TrainingProgress(10, 20, loss=0.5, learning_rate=0.1, views_per_second=2, seconds_left=5))
    scores = ValidationScores(Summary.of([0.65, 0.85]), 0.2, {"skeleton": 0.9, "ribs": 0.6}, 3, b"", 1.0)
    curves.on_validation_end(10, scores, tmp_path / "000010.png", is_best=True)
    curves.close()
    read = EventAccumulator(str(tmp_path)).Reload()
    of_regions = {"regions/skeleton", "regions/ribs"}
    assert set(read.Tags()["scalars"]) == {
        *{"loss", "learning_rate", "views_per_second", "dice", "validation_loss"},
        *of_regions,
    }
    assert [round(event.value, 4) for event in read.Scalars("regions/ribs")] == [0.6]
    assert [(event.step, event.value) for event in read.Scalars("dice")] == [(10, 0.75)]
