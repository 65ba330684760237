from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from napari_bonescint.evaluation.metrics import Summary
from napari_bonescint.training.loop.listener import Order
from napari_bonescint.training.loop.validation import ValidationScores
from napari_bonescint.training.runs.run_folder import RunFolder
from napari_bonescint.training.runs.steering import Steering

if TYPE_CHECKING:
    from pathlib import Path

    from napari_bonescint.training.loop.recipe import Recipe


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path / "run")


def test_requests_become_orders_and_a_stop_stays(run: RunFolder, recipe: Recipe) -> None:
    steering = Steering(run, recipe, None)
    assert steering.order() is Order.GO_ON
    run.request.write_text("pause")
    assert steering.order() is Order.PAUSE
    run.request.write_text("stop")
    assert steering.order() is Order.STOP
    run.request.unlink()
    assert steering.order() is Order.STOP
    assert (steering.is_stopped, steering.is_interrupted) == (True, False)


def test_ctrl_c_ends_after_the_step_and_a_second_one_at_once(run: RunFolder, recipe: Recipe) -> None:
    steering = Steering(run, recipe, None)
    before = signal.getsignal(signal.SIGINT)
    with steering.ctrl_c():
        signal.raise_signal(signal.SIGINT)
        assert steering.order() is Order.STOP
        assert steering.is_interrupted
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_what_is_left_has_validations_in_it_and_ends_with_the_time_while_nothing_is_planned(
    run: RunFolder, recipe: Recipe
) -> None:
    free, limited = Steering(run, recipe, None), Steering(run, recipe, minutes=1)
    scores = ValidationScores(Summary.of([0.9]), 0.1, {}, 1, b"", seconds=5.0)
    for steering in (free, limited):
        assert steering.plan(0) is None
        steering.on_validation_end(10, scores, run.samples / "000010.png", is_best=True)
    assert free.seconds_left(100.0, 3, planned=False) == 115
    assert limited.seconds_left(100.0, 3, planned=True) == 115
    assert 50 < limited.seconds_left(100.0, 3, planned=False) <= 60
