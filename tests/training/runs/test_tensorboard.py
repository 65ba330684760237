from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from napari_bonescint.training.runs.tensorboard import TensorBoardCurves

if TYPE_CHECKING:
    from pathlib import Path


def test_tensorboard_reads_loss_and_dice(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    curves = TensorBoardCurves(tmp_path)
    curves.append("data", cases=3)
    curves.append("progress", step=10, loss=0.5, learning_rate=0.1, views_per_second=2.0, steps=20)
    regions = {"skeleton": 0.9, "ribs": 0.6}
    curves.append("check", step=10, dice=0.75, spread=0.1, loss=0.2, regions=regions, scans=3, best=True)
    curves.close()
    read = EventAccumulator(str(tmp_path)).Reload()
    of_regions = {"regions/skeleton", "regions/ribs"}
    assert set(read.Tags()["scalars"]) == {
        *{"loss", "learning_rate", "views_per_second", "dice", "validation_loss"},
        *of_regions,
    }
    assert [round(event.value, 4) for event in read.Scalars("regions/ribs")] == [0.6]
    assert [(event.step, event.value) for event in read.Scalars("dice")] == [(10, 0.75)]
