"""One training from beginning to end: followed by a log, steered by requests, gone on with after any interruption."""

from __future__ import annotations

import copy
import json
import signal
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol

from napari_bonescint.atomic import CannotWrite, write_bytes_atomically
from napari_bonescint.errors import BonescintError
from napari_bonescint.text import counted, duration
from napari_bonescint.training.loop.best_weights import BestWeights
from napari_bonescint.training.loop.checkpoint import resume, save_checkpoint
from napari_bonescint.training.loop.export import publish_scored
from napari_bonescint.training.loop.fabric import one_fails_all
from napari_bonescint.training.loop.resuming import identity_of
from napari_bonescint.training.loop.schedule import REPORT_EVERY, StepTimer, steps_within
from napari_bonescint.training.loop.trainer import Order, Trainer, TrainingProgress
from napari_bonescint.training.loop.validation import has_validation, look_at
from napari_bonescint.training.runs.run_folder import RunFolder, make_folder
from napari_bonescint.training.runs.run_status import describe_data

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lightning_fabric import Fabric
    from torch import nn

    from napari_bonescint.inference.model_card import ModelCard
    from napari_bonescint.training.data.training_data import TrainingData
    from napari_bonescint.training.loop.recipe import Recipe


class EventSink(Protocol):
    """What is told every event besides the log."""

    def append(self, event: str, **facts: object) -> None:
        """Take an event."""


@dataclass(frozen=True)
class SessionSettings:
    """How to train, whatever the recipe.

    Attributes
    ----------
    device : str
        On which the validation scans are segmented.
    minutes : float or None
        How long the training may take, pauses not counted: the first steps tell how many there can be, which is kept,
        so that nothing changes it later. None for all of the recipe's.
    workers : int
        Processes that make examples.
    out : Path or None
        Folder for weights and card; the run's own if None.
    steps : int or None
        How many steps to take, where another training has told already.
    """

    device: str
    minutes: float | None
    workers: int
    out: Path | None = None
    steps: int | None = None


class Session:
    """A training of one recipe in its folder.

    Parameters
    ----------
    recipe : Recipe
    material : TrainingData
    fabric : lightning_fabric.Fabric
        Launched; of several processes, the first alone writes.
    folder : Path or RunFolder
        The run's own; it is gone on with where something is in it already.
    settings : SessionSettings
    sinks : sequence of EventSink
        Told every event besides the log.

    Attributes
    ----------
    card : ModelCard or None
        Of the weights that were published; None before, and if none were better than those that it began from.
    """

    def __init__(
        self,
        recipe: Recipe,
        material: TrainingData,
        fabric: Fabric,
        folder: Path | RunFolder,
        settings: SessionSettings,
        sinks: tuple[EventSink, ...] = (),
    ) -> None:
        self._recipe, self._material, self._fabric, self._settings = recipe, material, fabric, settings
        self._run = folder if isinstance(folder, RunFolder) else RunFolder(folder)
        self._sinks: tuple[EventSink, ...] = (self._run.log, *sinks) if fabric.is_global_zero else ()
        self._trainer: Trainer
        self._identity = identity_of(material)
        self._best = BestWeights(self._run.best)
        self.card: ModelCard | None = None
        self._looked_at = -1
        self._look_s = 0.0
        self._began = time.monotonic()
        self._timer = StepTimer()
        self._paused_at: float | None = None
        self._looks = recipe.check_every > 0 and has_validation(material)
        self._stopped = self._interrupted = False

    @property
    def is_stopped(self) -> bool:
        """Whether somebody ended it before its last step."""
        return self._stopped

    @property
    def planned(self) -> int | None:
        """How many steps the training takes in all; None before that is known."""
        return self._trainer.planned

    def train(self) -> bool:
        """Train, publish and score, and say whether Ctrl-C ended it.

        Raises
        ------
        BonescintError
            If it cannot go on; the log says why, too.
        """
        first = self._fabric.is_global_zero
        if first:
            self._run.occupy()
        try:
            self._begin()
            with self._ctrl_c(), one_fails_all(self._fabric.world_size):
                if first and self._looks and self._trainer.start and self._trainer.step == 0:
                    self._look()
                self._trainer.fit(
                    ask=self._order, on_progress=self._report, every=REPORT_EVERY, workers=self._settings.workers
                )
            if first:
                self._finish()
            with one_fails_all(self._fabric.world_size):
                self._fabric.barrier()
        except BonescintError as error:
            # A full disk may be the very reason.
            with suppress(CannotWrite):
                self._tell("failed", text=f"{error}{self._last_good()}")
            raise
        finally:
            if first:
                self._run.leave()
        return self._interrupted

    def _begin(self) -> None:
        name = self._recipe.name
        cases = self._material.source(self._recipe.simulated_share)
        trainer = self._trainer = Trainer(self._recipe, cases, self._fabric, self._note)
        resumed = resume(trainer, self._run.checkpoint, self._identity)
        if not resumed and self._fabric.is_global_zero:
            self._best.forget()
        if trainer.planned is None:
            trainer.planned = self._settings.steps
        if trainer.planned is None and self._settings.minutes is None:
            trainer.planned = self._recipe.steps
        if self._fabric.is_global_zero:
            make_folder(self._settings.out or self._run.path)
            manifest = json.dumps({**self._material.manifest, "sha256": self._material.sha256}, indent=1)
            write_bytes_atomically(self._run.data, manifest.encode())
        summary = self._material.summary()
        self._tell("data", **summary)
        of_what = "new cases" if cases.number is None else f"{cases.number} cases"
        self._print(f"{name}: {of_what}, {'from step ' if resumed else 'step '}{trainer.step}")
        if self._material.selection is not None:
            self._print(f"{name}: {describe_data(summary)}")
        if trainer.step >= trainer.schedule.steps:
            self._note("All steps are done already; give another --name to train anew.")
        for model in trainer.start:
            of = f" of {model['of']}" if "of" in model else ""
            self._print(f"{name}: began with {model['tensors']}{of} tensors of {model['model']}")
        for case, why in self._material.selection.left_out if self._material.selection else ():
            self._print(f"{name}: left out case {case}: {why}")
        if self._recipe.check_every and not self._looks:
            self._note("No patient validates yet, so the last weights are kept, not the best.")

    def _order(self) -> Order:
        """What is asked for now; the processes besides the first do as it does."""
        if not self._fabric.is_global_zero:
            return Order.GO_ON
        request = self._run.requested()
        if self._stopped or request == "stop":
            self._stopped = True
            return Order.STOP
        if request == "pause":
            if self._paused_at is None:
                self._paused_at = time.monotonic()
                self._timer.forget()
                self._save()
                self._tell("paused")
                print(f"paused at step {self._trainer.step}, until {self._run.request} is removed", flush=True)
            return Order.PAUSE
        if self._paused_at is not None:
            self._began += time.monotonic() - self._paused_at
            self._paused_at = None
            self._tell("resumed", step=self._trainer.step)
        self._timer.begin()
        if self._trainer.planned is None and self._timer.seconds_per_step is not None:
            self._plan(self._timer.seconds_per_step)
        return Order.GO_ON

    def _plan(self, seconds_per_step: float) -> None:
        """Fix the number of steps, now that it is known how long one takes."""
        trainer, recipe, minutes = self._trainer, self._recipe, self._settings.minutes
        if minutes is None:
            return
        left = 60 * minutes - (time.monotonic() - self._began)
        trainer.planned = steps_within(recipe, left, seconds_per_step, self._look_s, trainer.step)
        # Kept at once, so that it is never estimated again.
        self._save()
        self._tell("plan", steps=trainer.planned, minutes=minutes, seconds_per_step=round(seconds_per_step, 4))
        self._print(
            f"{recipe.name}: {minutes:g} minutes are time for {trainer.planned} of the recipe's {recipe.steps} steps "
            f"({seconds_per_step:.2g} s each); the learning rate falls over these, however long they take from now on"
        )

    def _report(self, progress: TrainingProgress) -> None:
        if not self._fabric.is_global_zero:
            return
        self._timer.forget()
        schedule = self._trainer.schedule
        views = (schedule.steps - progress.step) * self._recipe.batch * self._fabric.world_size
        left = views / progress.views_per_second + self._look_s * schedule.looks_after(progress.step)
        if self._trainer.planned is None and self._settings.minutes is not None:
            left = min(left, max(0.0, 60 * self._settings.minutes - (time.monotonic() - self._began)))
        self._tell("progress", steps=schedule.steps, seconds_left=round(left, 1), **asdict(progress))
        print(
            f"step {progress.step}/{schedule.steps}  loss {progress.loss:.4f}  "
            f"{progress.views_per_second:.1f} views/s  {duration(left)} left",
            flush=True,
        )
        if self._looks and progress.step % schedule.check_every < REPORT_EVERY:
            self._look()
        # Last, so that a training that is killed meanwhile looks again and finds the same.
        self._save()

    def _look(self) -> None:
        """Score the validation scans, keep the weights if they are the best so far, and draw pictures."""
        step, began = self._trainer.step, time.monotonic()
        look = look_at(self._trainer.average, self._recipe, self._material, self._settings.device)
        if look is None:
            self._note("No validation scan can be read.")
            return
        self._looked_at = step
        is_best = self._best.offer(step, look.dice.mean, self._trainer.average.state_dict())
        print(f"step {step}: Dice on validation scans {look.dice.mean:.4f}{', the best so far' * is_best}", flush=True)
        self._tell(
            "check",
            step=step,
            dice=look.dice.mean,
            spread=look.dice.spread,
            loss=look.loss,
            regions=look.regions,
            scans=look.scans,
            best=is_best,
        )
        make_folder(self._run.samples)
        name = f"{step:06d}.png"
        write_bytes_atomically(self._run.samples / name, look.picture)
        self._tell("sample", step=step, file=f"{self._run.samples.name}/{name}")
        self._look_s = time.monotonic() - began

    def _finish(self) -> None:
        """Hand over the best weights, or the last where none were scored."""
        trainer = self._trainer
        if self._interrupted:
            print("interrupted; the weights so far are being scored", flush=True)
        if self._looks and self._looked_at != trainer.step:
            self._look()
        self._save()
        network, step, dice = trainer.average, trainer.step, None
        if self._looks and (best := self._best.read()) is not None:
            network, step, dice = copy.deepcopy(network), best["step"], best["dice"]
            network.load_state_dict(best["average"])
        self._deliver(network, step, dice)
        if trainer.step < trainer.schedule.steps:
            print(f"{trainer.step} of {trainer.schedule.steps} steps are done; the same command does the rest")

    def _deliver(self, network: nn.Module, step: int, dice: float | None) -> None:
        """Publish weights, unless they are those that training began from.

        Parameters
        ----------
        network : torch.nn.Module
        step : int
            After which step these were the weights.
        dice : float or None
            On the scans that were looked at; None if there were none.
        """
        trainer, name = self._trainer, self._recipe.name
        stopped = trainer.step < trainer.schedule.steps
        if step == 0 and trainer.start:
            sentence = no_better(trainer.start[-1]["model"], dice, trainer.step)
            self._tell("finished", step=0, weights="", card="", stopped=stopped, text=sentence)
            self._print(f"{name}: {sentence}")
            return
        out = self._settings.out or self._run.path
        card = self.card = publish_scored(
            network, step, trainer, self._recipe, self._material, out, self._settings.device
        )
        self._tell("finished", step=step, weights=str(card.weights_path), card=str(card.path), stopped=stopped)
        _print_scores(name, card)
        print(f"-> {card.weights_path}")

    def _save(self) -> None:
        save_checkpoint(self._trainer, self._run.checkpoint, data_sha256=self._material.sha256, material=self._identity)

    def _print(self, line: str) -> None:
        # fabric.print would print on each machine.
        if self._fabric.is_global_zero:
            print(line, flush=True)

    def _note(self, sentence: str) -> None:
        self._tell("note", text=sentence)
        self._print(f"{self._recipe.name}: {sentence}")

    def _tell(self, event: str, **facts: Any) -> None:
        for sink in self._sinks:
            sink.append(event, **facts)

    def _last_good(self) -> str:
        if not self._run.checkpoint.exists():
            return ""
        return f" The last good state is kept in {self._run.checkpoint.name}."

    @contextmanager
    def _ctrl_c(self) -> Iterator[None]:
        """Let Ctrl-C end training after the step that is under way; a second one ends it at once."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def stop(*_signal: object) -> None:
            if self._stopped:
                raise KeyboardInterrupt
            self._stopped = self._interrupted = True

        before = signal.signal(signal.SIGINT, stop)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)


def no_better(start: str, dice: float | None, steps: int) -> str:
    """That training made nothing better, in words."""
    if steps == 0:
        return "No step is done yet, so there is nothing to publish."
    found = "" if dice is None else f" than its {dice:.4f}"
    return (
        f"No better than the start: in {counted(steps, 'step')} no look found a higher Dice{found}, so nothing is "
        f"published, and {start} stays what it was. More corrected scans or another recipe may do better."
    )


def _print_scores(name: str, card: ModelCard) -> None:
    for score in card.scores:
        value, spread, lowest = score["value"], score["spread"], score["lowest"]
        print(f"{name}: {score['metric']} {value:.4f} ± {spread:.4f}, lowest {lowest:.4f}")
