from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import torch

from napari_bonescint.training.data.sources import SimulatedCaseFiles
from napari_bonescint.training.loop.checkpoint import read_checkpoint, save_checkpoint
from napari_bonescint.training.loop.listener import Order, StepPlan, TrainingControl, TrainingListener
from napari_bonescint.training.loop.resuming import CannotResume
from napari_bonescint.training.loop.trainer import Trainer, TrainingError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lightning_fabric import Fabric

    from napari_bonescint.training.loop.listener import TrainingProgress
    from napari_bonescint.training.loop.recipe import Recipe


class Following(TrainingListener):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.progress: list[TrainingProgress] = []
        self.notes: list[str] = []
        self.told: list[str] = []

    def on_train_epoch_end(self, progress: TrainingProgress) -> None:
        self.progress.append(progress)
        self.told.append("on_train_epoch_end")

    def on_note(self, sentence: str) -> None:
        self.notes.append(sentence)

    def on_pause(self, step: int) -> None:
        self.told.append(f"on_pause {step}")

    def on_resume(self, step: int) -> None:
        self.told.append(f"on_resume {step}")

    def on_plan(self, plan: StepPlan) -> None:
        self.told.append(f"on_plan {plan.steps}")

    def save_checkpoint(self) -> None:
        self.told.append("save_checkpoint")


class Giving(TrainingControl):
    """Gives orders."""

    def __init__(self, order: Callable[[], Order], plan: Callable[[int], StepPlan | None] = lambda _step: None) -> None:
        self.order = order  # type: ignore[method-assign]
        self.plan = plan  # type: ignore[method-assign]


def test_loss_falls(recipe: Recipe, fabric: Fabric, cases: list[Path]) -> None:
    following = Following()
    trainer = Trainer(recipe, SimulatedCaseFiles(cases), fabric)
    trainer.fit([following], every=10, workers=0)
    progress = following.progress
    assert [p.step for p in progress] == [10, 20, 30]
    assert progress[-1].loss < 0.7 * progress[0].loss
    assert progress[-1].learning_rate < progress[0].learning_rate


def test_an_order_ends_training(recipe: Recipe, fabric: Fabric, cases: list[Path]) -> None:
    trainer = Trainer(recipe, SimulatedCaseFiles(cases), fabric)
    trainer.fit((), Giving(lambda: Order.STOP), workers=0)
    assert trainer.step == 0


def test_a_pause_is_told_once_after_the_state_is_saved(recipe: Recipe, fabric: Fabric, cases: list[Path]) -> None:
    orders = iter([Order.GO_ON, Order.PAUSE, Order.PAUSE, Order.GO_ON, Order.STOP])
    following = Following()
    Trainer(recipe, SimulatedCaseFiles(cases), fabric).fit([following], Giving(lambda: next(orders)), workers=0)
    assert following.told == ["save_checkpoint", "on_pause 1", "on_resume 1"]


def test_the_number_of_steps_that_is_planned_is_the_last_and_is_kept(
    recipe: Recipe, fabric: Fabric, cases: list[Path]
) -> None:
    def plan(step: int) -> StepPlan | None:
        return StepPlan(12, recipe.steps, 1.0, 0.1) if step == 4 else None

    following = Following()
    trainer = Trainer(recipe, SimulatedCaseFiles(cases), fabric)
    trainer.fit([following], Giving(lambda: Order.GO_ON, plan), every=6, workers=0)
    assert trainer.step == 12
    # The rate has fallen to its lowest by then.
    assert following.progress[-1].learning_rate == pytest.approx(0.01 * recipe.learning_rate)
    # Saved before it is told, so that it is never planned again.
    assert following.told[:2] == ["save_checkpoint", "on_plan 12"]
    again = Trainer(recipe, SimulatedCaseFiles(cases), fabric)
    again.restore(trainer.state())
    assert again.planned == 12
    again.fit(workers=0)
    assert again.step == 12


class Stopped(Exception):
    """What ends a training early in these tests."""


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("architecture", ["fdn-11", "u-net"])
def test_a_resumed_training_takes_the_very_steps_of_one_that_was_not(
    recipe: Recipe, fabric: Fabric, cases: list[Path], tmp_path: Path, architecture: str, workers: int
) -> None:
    keep = (2, 1, 4, 4) if architecture == "fdn-11" else ()
    recipe = replace(recipe, architecture=architecture, keep_phases=keep, steps=6)
    straight = Trainer(recipe, SimulatedCaseFiles(cases), fabric)
    straight.fit(workers=0)

    class Stopping(TrainingListener):
        def save_checkpoint(self) -> None:
            save_checkpoint(stopped.state(), tmp_path / "checkpoint.pt")
            raise Stopped

    stopped = Trainer(recipe, SimulatedCaseFiles(cases), fabric)
    with pytest.raises(Stopped):
        stopped.fit([Stopping()], every=3, workers=workers)
    resumed = Trainer(recipe, SimulatedCaseFiles(cases), fabric)
    state = read_checkpoint(tmp_path / "checkpoint.pt")
    assert state is not None
    resumed.restore(state)
    assert resumed.step == 3
    resumed.fit(workers=workers)
    for name in ("network", "average"):
        wanted, got = straight.state()[name], resumed.state()[name]
        assert all(torch.equal(wanted[key], got[key]) for key in wanted)


def test_the_time_of_all_runs_is_told(recipe: Recipe, fabric: Fabric, cases: list[Path]) -> None:
    recipe = replace(recipe, steps=3)
    first = Trainer(recipe, SimulatedCaseFiles(cases), fabric)
    first.fit((), Giving(lambda: Order.GO_ON if first.step < 2 else Order.STOP), workers=0)
    second = Trainer(recipe, SimulatedCaseFiles(cases[:1]), fabric)
    second.restore(first.state())
    second.fit(workers=0)
    assert [(stretch["steps"], stretch["cases"]) for stretch in second.history] == [(2, 2), (1, 1)]
    assert second.minutes > first.minutes > 0


@pytest.mark.parametrize(
    ("setting", "value"), [("name", "other"), ("grid_mm", 4.0), ("seed", 2), ("steps", 31), ("learning_rate", 0.01)]
)
def test_a_checkpoint_of_another_recipe_is_refused(
    recipe: Recipe, fabric: Fabric, cases: list[Path], setting: str, value: object
) -> None:
    state = Trainer(recipe, SimulatedCaseFiles(cases), fabric).state()
    wanted = f"The checkpoint was trained with {setting} .*, not {value!r}: start a new training"
    with pytest.raises(CannotResume, match=wanted):
        Trainer(replace(recipe, **{setting: value}), SimulatedCaseFiles(cases), fabric).restore(state)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"keep_phases": (4, 4)}, "keep_phases of tiny needs 1 numbers"),
        ({"rows": 63}, "must be multiples of 2"),
    ],
)
def test_a_recipe_that_does_not_fit_its_network_is_refused(
    recipe: Recipe, fabric: Fabric, cases: list[Path], settings: dict[str, object], message: str
) -> None:
    with pytest.raises(TrainingError, match=message):
        Trainer(replace(recipe, **settings), SimulatedCaseFiles(cases), fabric)


def test_the_average_follows_the_weights(recipe: Recipe, fabric: Fabric, cases: list[Path]) -> None:
    trainer = Trainer(recipe, SimulatedCaseFiles(cases), fabric)
    start = [weight.clone() for weight in trainer.average.parameters()]
    trainer.fit(workers=0)
    for first, mean, last in zip(start, trainer.average.parameters(), trainer.network.parameters(), strict=True):
        assert (mean - last).norm() < 0.5 * (first - last).norm()


def test_a_loss_that_is_no_number_stops_training(recipe: Recipe, fabric: Fabric, cases: list[Path]) -> None:
    trainer = Trainer(recipe, SimulatedCaseFiles(cases), fabric)
    with torch.no_grad():
        trainer.network.head.bias.fill_(torch.nan)
    with pytest.raises(TrainingError, match="The loss is nan at step 0"):
        trainer.fit(workers=0)


def test_what_does_not_fit_into_memory_is_added_up_in_parts(recipe: Recipe, fabric: Fabric, cases: list[Path]) -> None:
    def too_small(_network: object, inputs: tuple[torch.Tensor, ...]) -> None:
        # FDN-5 hands on four phases of each view.
        if len(inputs[0]) > 4 * most:
            raise torch.OutOfMemoryError("CUDA out of memory.")

    # Without the Dice loss, which is one of the whole batch, parts add up to the very loss.
    recipe = replace(recipe, steps=3, batch=4, dice_weight=0.0)
    whole = Trainer(recipe, SimulatedCaseFiles(cases), fabric)
    parted = Trainer(recipe, SimulatedCaseFiles(cases), fabric)
    parted.network.head.register_forward_pre_hook(too_small)
    most = 1
    losses: list[list[float]] = []
    for trainer in (whole, parted):
        following = Following()
        trainer.fit([following], every=1, workers=0)
        losses.append([each.loss for each in following.progress])
    assert losses[1] == pytest.approx(losses[0], rel=1e-3)
    assert following.notes == [
        f"cpu ran out of memory; each step is now computed in parts of {size} views." for size in (2, 1)
    ]
    most = 0
    with pytest.raises(TrainingError, match="too little memory for a single view"):
        parted.train_step(torch.zeros(4, 1, 64, 32), torch.zeros(4, 192, 96, dtype=torch.uint8))


@pytest.mark.parametrize("architecture", ["fdn-11", "u-net", "dln-11"])
def test_frozen_stages_stay_as_they_begin(recipe: Recipe, fabric: Fabric, cases: list[Path], architecture: str) -> None:
    keep = (4, 4, 4, 4) if architecture == "fdn-11" else ()
    frozen = replace(recipe, architecture=architecture, keep_phases=keep, steps=2, frozen_stages=2)
    trainer = Trainer(frozen, SimulatedCaseFiles(cases), fabric)
    stages = trainer.network.early_stages
    before = [{key: value.clone() for key, value in stage.state_dict().items()} for stage in stages]
    trainer.fit(workers=0)
    for number, (stage, start) in enumerate(zip(stages, before, strict=True)):
        same = [torch.equal(value, start[key]) for key, value in stage.state_dict().items()]
        assert all(same) if number < 2 else not all(same)
    with pytest.raises(TrainingError, match="has 5 stages"):
        Trainer(replace(frozen, frozen_stages=6), SimulatedCaseFiles(cases), fabric)
