from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import torch

from napari_bonescint.training.fit import Progress, Trainer, TrainingError

if TYPE_CHECKING:
    from pathlib import Path

    from napari_bonescint.training.recipe import Recipe

FAR = time.monotonic() + 3600


def test_loss_falls(recipe: Recipe, cases: list[Path]) -> None:
    progress: list[Progress] = []
    trainer = Trainer(recipe, cases, "cpu")
    trainer.fit(until=FAR, on_progress=progress.append, every=10, workers=0)
    assert [p.step for p in progress] == [10, 20, 30]
    assert progress[-1].loss < 0.7 * progress[0].loss
    assert progress[-1].learning_rate < progress[0].learning_rate


def test_the_time_limit_ends_training(recipe: Recipe, cases: list[Path]) -> None:
    trainer = Trainer(recipe, cases, "cpu")
    trainer.fit(until=time.monotonic(), on_progress=lambda _: None, workers=0)
    assert trainer.step == 0


def test_a_restored_trainer_takes_the_same_next_step(recipe: Recipe, cases: list[Path]) -> None:
    torch.manual_seed(0)
    batches = [(torch.rand(2, 1, 64, 32), torch.full((2, 17, 64, 32), 1 / 17)) for _ in range(4)]
    straight = Trainer(recipe, cases, "cpu")
    losses = [straight.train_step(*batch) for batch in batches]
    first = Trainer(recipe, cases, "cpu")
    for batch in batches[:2]:
        first.train_step(*batch)
    second = Trainer(replace(recipe, seed=99), cases, "cpu")
    second.restore(first.state())
    assert [second.train_step(*batch) for batch in batches[2:]] == pytest.approx(losses[2:], rel=1e-4)


@pytest.mark.parametrize(("setting", "value"), [("name", "other"), ("grid_mm", 4.0)])
def test_a_checkpoint_of_another_recipe_is_refused(
    recipe: Recipe, cases: list[Path], setting: str, value: object
) -> None:
    state = Trainer(recipe, cases, "cpu").state()
    with pytest.raises(TrainingError, match=f"The checkpoint was trained with {setting} "):
        Trainer(replace(recipe, **{setting: value}), cases, "cpu").restore(state)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"keep_phases": (4, 4)}, "keep_phases of tiny needs 1 numbers"),
        ({"rows": 63}, "must be multiples of 2"),
    ],
)
def test_a_recipe_that_does_not_fit_its_network_is_refused(
    recipe: Recipe, cases: list[Path], settings: dict[str, object], message: str
) -> None:
    with pytest.raises(TrainingError, match=message):
        Trainer(replace(recipe, **settings), cases, "cpu")


def test_the_average_follows_the_weights(recipe: Recipe, cases: list[Path]) -> None:
    trainer = Trainer(recipe, cases, "cpu")
    start = [weight.clone() for weight in trainer.average.parameters()]
    trainer.fit(until=FAR, on_progress=lambda _: None, workers=0)
    for first, mean, last in zip(start, trainer.average.parameters(), trainer.network.parameters(), strict=True):
        assert (mean - last).norm() < 0.5 * (first - last).norm()


def test_no_cases_are_refused(recipe: Recipe) -> None:
    with pytest.raises(TrainingError, match="no cases to train on"):
        Trainer(recipe, [], "cpu")


def test_a_loss_that_is_no_number_stops_training(recipe: Recipe, cases: list[Path]) -> None:
    trainer = Trainer(recipe, cases, "cpu")
    with torch.no_grad():
        trainer.network.head.bias.fill_(torch.nan)
    with pytest.raises(TrainingError, match="The loss is nan at step 0"):
        trainer.fit(until=FAR, on_progress=lambda _: None, workers=0)
