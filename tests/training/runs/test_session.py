"""A training is followed, steered, stopped, gone on with, and says why it cannot."""

from __future__ import annotations

import json
import os
import resource
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from PIL import Image

from judged import corrected_store, threshold_model
from napari_bonescint.corrections.selection import select
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.corrections.store.records.revision import Origin
from napari_bonescint.files.atomic import CannotWrite
from napari_bonescint.formats.dicom.identity import Identity
from napari_bonescint.inference.model_card import read_card
from napari_bonescint.inference.segmenter import Segmenter
from napari_bonescint.training.data.sources import SimulatedCaseFiles
from napari_bonescint.training.data.training_data import TrainingData
from napari_bonescint.training.loop.checkpoint import CheckpointError, read_torch
from napari_bonescint.training.loop.listener import TrainingListener
from napari_bonescint.training.loop.resuming import CannotResume
from napari_bonescint.training.runs.event_log import Event, read_events
from napari_bonescint.training.runs.run_folder import RunFolderError
from napari_bonescint.training.runs.session import Session, SessionSettings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lightning_fabric import Fabric

    from napari_bonescint.inference.model_card import ModelCard
    from napari_bonescint.simulation.case import Case
    from napari_bonescint.training.loop.listener import TrainingProgress
    from napari_bonescint.training.loop.recipe import Recipe

SETTINGS = SessionSettings("cpu", minutes=60, workers=0)


@pytest.fixture
def quick(recipe: Recipe) -> Recipe:
    return replace(recipe, rows=48, columns=24, grid_mm=12.0, steps=20, check_every=10)


@pytest.fixture
def simulated(cases: list[Path]) -> TrainingData:
    """One case to train on and another to validate on."""
    return TrainingData(None, SimulatedCaseFiles(cases[:1]), (cases[1],))


@pytest.fixture
def corrected(tmp_path: Path, case: Case) -> TrainingData:
    """A store with scans of twenty patients, the first of whom has only bone outlined, not named."""
    store = LabelStore.create(tmp_path / "store")
    for number in range(20):
        scan = case.count(np.random.default_rng(number), 4e5)
        key = store.add(scan, Identity(patient=f"P{number}"))
        named = number > 0
        mask = case.regions if named else (case.regions > 0).astype(np.uint8)
        store.save(key, mask, Origin.empty(), annotator="Ada", reviewed=True, names_regions=named)
    selection = select([store])
    # Which patients validate depends on the store's secret, and now and then it is none.
    patients = selection.scans
    parts = replace(selection, training=patients[:14], validation=patients[14:17], held_out=patients[17:])
    return TrainingData(parts, None, ())


def events_of(run: Path, kind: str) -> list[Event]:
    return [event for event in read_events(run / "log.jsonl")[0] if event["event"] == kind]


class Killed(Exception):
    """What ends a training as a kill does."""


def _die() -> None:
    raise Killed


class OnEvent(TrainingListener):
    """Does something once when an event is told."""

    def __init__(self, **deeds: Callable[[], object]) -> None:
        for hook, deed in deeds.items():
            setattr(self, hook, _once(deed))


def _once(deed: Callable[[], object]) -> Callable[[object], None]:
    left = [deed]

    def do(_told: object) -> None:
        if left:
            left.pop()()

    return do


def test_corrected_scans_become_a_model_that_says_what_it_learnt_from(
    quick: Recipe, fabric: Fabric, corrected: TrainingData, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    assert not Session(quick, corrected, fabric, run, SETTINGS).train()
    assert corrected.selection is not None
    (data,) = events_of(run, "data")
    assert (data["cases"], data["patients"], data["validation_patients"], data["held_out_patients"]) == (14, 14, 3, 3)
    assert json.loads((run / "data.json").read_text())["sha256"] == data["sha256"]
    assert read_torch(run / "checkpoint.pt")["data_sha256"] == data["sha256"]
    assert [event["step"] for event in events_of(run, "progress")] == [10, 20]
    checks = events_of(run, "check")
    assert [check["step"] for check in checks] == [10, 20]
    for sample in events_of(run, "sample"):
        with Image.open(run / sample["file"]) as picture:
            assert picture.size == (600, 400)
    card = read_card(run / "tiny.json")
    assert card.training["data_sha256"] == data["sha256"]
    assert "14 corrected scans" in card.training["data"]
    best = max(checks, key=lambda check: check["dice"])
    assert card.training["steps_done"] == best["step"]
    assert {score["data"] for score in card.scores} == {"corrected, validation"}
    Segmenter(card, "cpu")
    assert not (run / "running.json").exists()


def test_a_request_pauses_and_stops_and_what_is_gone_on_with_ends_the_same(
    quick: Recipe, fabric: Fabric, simulated: TrainingData, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    straight, steered = tmp_path / "straight", tmp_path / "steered"
    Session(quick, simulated, fabric, straight, SETTINGS).train()
    request = steered / "request"
    steering = OnEvent(
        on_train_epoch_end=lambda: request.write_text("pause"),
        on_pause=request.unlink,
        on_resume=lambda: request.write_text("stop"),
    )
    # The order to resume is followed by a step; then comes the one to stop.
    assert not Session(quick, simulated, fabric, steered, SETTINGS, (steering,)).train()
    assert [event["step"] for event in events_of(steered, "resumed")] == [10]
    (finished,) = events_of(steered, "finished")
    assert finished["stopped"]
    told = capsys.readouterr().out
    assert "less than a minute left" in told
    assert f"paused at step 10, until {request} is removed" in told
    assert f"-> {finished['weights']}\n11 of 20 steps are done; the same command continues" in told
    assert read_torch(steered / "checkpoint.pt")["step"] == 11
    assert not request.exists()
    Session(quick, simulated, fabric, steered, SETTINGS).train()
    wanted, got = (read_torch(run / "checkpoint.pt")["network"] for run in (straight, steered))
    assert all((wanted[key] == got[key]).all() for key in wanted)


class Spoiling(TrainingListener):
    """Makes a weight no number once a training has gone on from the state that it saved last."""

    def __init__(self) -> None:
        self.session: Session

    def on_train_epoch_end(self, progress: TrainingProgress) -> None:
        if progress.step == 20:
            with torch.no_grad():
                self.session._trainer.network.head.bias.fill_(torch.nan)


def test_weights_that_are_no_numbers_are_told_and_the_last_good_state_is_kept(
    quick: Recipe, fabric: Fabric, simulated: TrainingData, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    spoiling = Spoiling()
    # Without a limit of time, since a plan is saved, too, whenever it is made.
    spoiling.session = Session(quick, simulated, fabric, run, replace(SETTINGS, minutes=None), (spoiling,))
    with pytest.raises(CheckpointError, match="lower the learning rate"):
        spoiling.session.train()
    (failed,) = events_of(run, "failed")
    assert failed["text"].endswith("The last good state is kept in checkpoint.pt.")
    assert read_torch(run / "checkpoint.pt")["step"] == 10
    Session(quick, simulated, fabric, run, SETTINGS).train()
    assert len(events_of(run, "finished")) == 1


@pytest.mark.skipif(os.name == "nt", reason="Windows limits no file's size")
def test_a_full_disk_ends_training_with_the_reason(
    quick: Recipe, fabric: Fabric, simulated: TrainingData, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
    try:
        with pytest.raises(CannotWrite, match="could not be written"):
            Session(replace(quick, check_every=0), simulated, fabric, run, SETTINGS).train()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "could not be written" in events_of(run, "failed")[0]["text"]
    assert [path.name for path in run.glob("*.pt")] == []
    Session(quick, simulated, fabric, run, SETTINGS).train()
    assert len(events_of(run, "finished")) == 1


@pytest.fixture
def good_start(tmp_path: Path) -> ModelCard:
    """Finds the bars of `judged.bar_scan`."""
    return threshold_model(tmp_path, "good", 0.7)


@pytest.fixture
def bars(tmp_path: Path) -> TrainingData:
    """Scans of bars, of four patients to train on and one to validate on."""
    selection = select([corrected_store(tmp_path / "bars", 5, Origin.empty())])
    scans = selection.scans
    return TrainingData(replace(selection, training=scans[:4], validation=scans[4:], held_out=[]), None, ())


def test_where_nothing_is_better_than_the_start_that_is_said_and_nothing_is_published(
    recipe: Recipe,
    fabric: Fabric,
    bars: TrainingData,
    good_start: ModelCard,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = tmp_path / "run"
    # Steps so large that every validation is worse.
    wild = replace(recipe, grid_mm=6.0, rows=96, columns=48, learning_rate=1.0, steps=20, check_every=10)
    wild = replace(wild, start=(str(good_start.weights_path),))
    session = Session(wild, bars, fabric, run, SETTINGS)
    assert not session.train()
    checks = events_of(run, "check")
    assert [check["step"] for check in checks] == [0, 10, 20]
    assert [check["best"] for check in checks] == [True, False, False]
    assert checks[0]["dice"] > max(check["dice"] for check in checks[1:])
    assert checks[0]["regions"]["thoracic_spine"] > 0.8
    assert "skeleton" in checks[0]["regions"]
    (finished,) = events_of(run, "finished")
    assert finished["weights"] == ""
    assert finished["text"] == (
        f"No better than the start: in 20 steps no validation had a higher Dice than {checks[0]['dice']:.4f}, that of "
        "the start, so no weights are exported, and good is unchanged. Try more corrected scans or another recipe."
    )
    assert f"tiny: {finished['text']}" in capsys.readouterr().out
    assert session.card is None
    assert not list(run.glob("*.safetensors"))
    assert not (run / "tiny.json").exists()


def test_what_was_changed_since_is_not_gone_on_with(
    quick: Recipe, fabric: Fabric, corrected: TrainingData, good_start: ModelCard, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    stopping = OnEvent(on_train_epoch_end=lambda: (run / "request").write_text("stop"))
    quick = replace(quick, check_every=0)
    Session(quick, corrected, fabric, run, SETTINGS, (stopping,)).train()
    before = (run / "checkpoint.pt").read_bytes(), (run / "data.json").read_bytes()
    assert corrected.selection is not None
    fewer = replace(corrected.selection, training=corrected.selection.training[1:])
    for recipe, material, complaint in (
        (replace(quick, seed=2), corrected, "trained with seed 1, not 2: start a new training"),
        (
            quick,
            replace(corrected, selection=fewer),
            "1 corrected scan removed among those that it trains on: start a new training",
        ),
        (
            replace(quick, start_partial=(str(good_start.weights_path),)),
            corrected,
            "started from random weights, not from good",
        ),
    ):
        with pytest.raises(CannotResume, match=complaint):
            Session(recipe, material, fabric, run, SETTINGS).train()
        assert complaint in events_of(run, "failed")[-1]["text"]
    assert before == ((run / "checkpoint.pt").read_bytes(), (run / "data.json").read_bytes())
    # Scans that only judge may come and go.
    more = replace(corrected.selection, held_out=corrected.selection.validation)
    Session(quick, replace(corrected, selection=more), fabric, run, SETTINGS).train()
    assert read_torch(run / "checkpoint.pt")["step"] == 20


def test_a_time_becomes_a_number_of_steps_that_stays(
    quick: Recipe, fabric: Fabric, simulated: TrainingData, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    endless = replace(quick, steps=1_000_000, check_every=100_000)
    # Killed as soon as the number of steps is known.
    killed = OnEvent(on_plan=_die)
    with pytest.raises(Killed):
        Session(endless, simulated, fabric, run, replace(SETTINGS, minutes=0.05), (killed,)).train()
    (plan,) = events_of(run, "plan")
    Session(endless, simulated, fabric, run, replace(SETTINGS, minutes=60), ()).train()
    assert len(events_of(run, "plan")) == 1
    (finished,) = events_of(run, "finished")
    assert not finished["stopped"]
    progress = events_of(run, "progress")
    assert progress[-1]["step"] == progress[-1]["steps"] == plan["steps"] < 100_000
    assert progress[-1]["learning_rate"] == pytest.approx(0.01 * endless.learning_rate)


def test_a_case_that_gets_damaged_meanwhile_is_skipped_and_named(
    quick: Recipe, fabric: Fabric, corrected: TrainingData, tmp_path: Path
) -> None:
    assert corrected.selection is not None
    damaged = corrected.selection.training[0]
    (damaged.store_folder / "cases" / damaged.case / "counts.tif").write_bytes(b"II*\0")
    run = tmp_path / "run"
    Session(replace(quick, steps=40, check_every=0), corrected, fabric, run, SETTINGS).train()
    (note,) = events_of(run, "note")
    assert damaged.case in note["text"]
    assert "is damaged" in note["text"]
    assert len(events_of(run, "finished")) == 1


def test_a_folder_is_trained_in_by_one_process(
    quick: Recipe, fabric: Fabric, simulated: TrainingData, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "running.json").write_text(json.dumps({"pid": os.getppid(), "started": time.time()}))
    with pytest.raises(RunFolderError, match=f"process {os.getppid()} trains here"):
        Session(quick, simulated, fabric, run, SETTINGS).train()
    # A process of that number that began after the file was written is another one.
    (run / "running.json").write_text(json.dumps({"pid": os.getppid(), "started": 1e9}))
    Session(quick, simulated, fabric, run, SETTINGS).train()
    assert len(events_of(run, "finished")) == 1
