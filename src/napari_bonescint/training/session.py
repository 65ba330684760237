"""One training from beginning to end: followed by a log, steered by requests, gone on with after any interruption."""

from __future__ import annotations

import copy
import io
import json
import signal
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol

import torch

from napari_bonescint.atomic import CannotWrite, write_bytes_atomically
from napari_bonescint.errors import BonescintError
from napari_bonescint.training.acceleration import one_fails_all
from napari_bonescint.training.checkpoint import read_torch, resume, save_checkpoint
from napari_bonescint.training.course import describe_data
from napari_bonescint.training.fit import Order, Progress, Trainer
from napari_bonescint.training.looks import has_validation, look_at
from napari_bonescint.training.publishing import publish_scored
from napari_bonescint.training.run_folder import RunFolder, make_folder
from napari_bonescint.wording import duration

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lightning_fabric import Fabric

    from napari_bonescint.inference.model_card import ModelCard
    from napari_bonescint.training.material import Material
    from napari_bonescint.training.recipe import Recipe

_REPORT_EVERY = 10


class EventSink(Protocol):
    """What is told every event besides the log."""

    def append(self, event: str, **facts: object) -> None:
        """Take an event."""


@dataclass(frozen=True)
class Settings:
    """How to train, whatever the recipe.

    Attributes
    ----------
    device : str
        On which the validation scans are segmented.
    minutes : float
        After which training ends, pauses not counted.
    workers : int
        Processes that make examples.
    out : Path or None
        Folder for weights and card; the run's own if None.
    """

    device: str
    minutes: float
    workers: int
    out: Path | None = None


class Session:
    """A training of one recipe in its folder.

    Parameters
    ----------
    recipe : Recipe
    material : Material
    fabric : lightning_fabric.Fabric
        Launched; of several processes, the first alone writes.
    folder : Path
        The run's own; it is gone on with where something is in it already.
    settings : Settings
    sinks : sequence of EventSink
        Told every event besides the log.
    """

    def __init__(
        self,
        recipe: Recipe,
        material: Material,
        fabric: Fabric,
        folder: Path,
        settings: Settings,
        sinks: tuple[EventSink, ...] = (),
    ) -> None:
        self._recipe, self._material, self._fabric, self._settings = recipe, material, fabric, settings
        self._run = RunFolder(folder)
        self._sinks: tuple[EventSink, ...] = (self._run.log, *sinks) if fabric.is_global_zero else ()
        self._trainer: Trainer
        self._looked_at = -1
        self._until = time.monotonic() + 60 * settings.minutes
        self._paused_at: float | None = None
        self._looks = recipe.check_every > 0 and has_validation(material)
        self._stopped = self._interrupted = False

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
                self._trainer.fit(
                    ask=self._order, on_progress=self._report, every=_REPORT_EVERY, workers=self._settings.workers
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
        resumed = resume(trainer, self._run.checkpoint)
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
        if trainer.step >= self._recipe.steps:
            self._note("All steps of the recipe are done already; give another --name to train anew.")
        for model in trainer.start:
            self._print(f"{name}: began with {model['tensors']} tensors of {model['model']}")
        for case, why in self._material.selection.left_out if self._material.selection else ():
            self._print(f"{name}: left out case {case}: {why}")
        if self._recipe.check_every and not self._looks:
            self._note("No patient validates yet, so the last weights are kept, not the best.")

    def _order(self) -> Order:
        """What is asked for now; the processes besides the first do as it does."""
        if not self._fabric.is_global_zero:
            return Order.GO_ON
        request = self._run.requested()
        if self._stopped or request == "stop" or time.monotonic() >= self._until:
            self._stopped = True
            return Order.STOP
        if request == "pause":
            if self._paused_at is None:
                self._paused_at = time.monotonic()
                self._save()
                self._tell("paused")
                print(f"paused at step {self._trainer.step}, until {self._run.request} is removed", flush=True)
            return Order.PAUSE
        if self._paused_at is not None:
            self._until += time.monotonic() - self._paused_at
            self._paused_at = None
            self._tell("resumed", step=self._trainer.step)
        return Order.GO_ON

    def _report(self, progress: Progress) -> None:
        if not self._fabric.is_global_zero:
            return
        steps = self._recipe.steps
        views = (steps - progress.step) * self._recipe.batch * self._fabric.world_size
        left = min(views / progress.views_per_second, max(0.0, self._until - time.monotonic()))
        self._tell("progress", steps=steps, seconds_left=round(left, 1), **asdict(progress))
        print(
            f"step {progress.step}/{steps}  loss {progress.loss:.4f}  {progress.views_per_second:.1f} views/s  "
            f"{duration(left)} left",
            flush=True,
        )
        if self._looks and progress.step % self._recipe.check_every < _REPORT_EVERY:
            self._look()
        # Last, so that a training that is killed meanwhile looks again and finds the same.
        self._save()

    def _look(self) -> None:
        """Score the validation scans, keep the weights if they are the best so far, and draw pictures."""
        step = self._trainer.step
        look = look_at(self._trainer.average, self._recipe, self._material, self._settings.device)
        if look is None:
            self._note("No validation scan can be read.")
            return
        self._looked_at = step
        best = self._best()
        is_best = best is None or look.dice.mean > best["dice"] or step == best["step"]
        if is_best:
            state = {
                "step": step,
                "dice": look.dice.mean,
                "data_sha256": self._material.sha256,
                "average": self._trainer.average.state_dict(),
            }
            buffer = io.BytesIO()
            torch.save(state, buffer)
            write_bytes_atomically(self._run.best, buffer.getvalue())
        print(f"step {step}: Dice on validation scans {look.dice.mean:.4f}{', the best so far' * is_best}", flush=True)
        self._tell("check", step=step, dice=look.dice.mean, spread=look.dice.spread, scans=look.scans, best=is_best)
        make_folder(self._run.samples)
        name = f"{step:06d}.png"
        write_bytes_atomically(self._run.samples / name, look.picture)
        self._tell("sample", step=step, file=f"{self._run.samples.name}/{name}")

    def _finish(self) -> None:
        """Publish the best weights, or the last where none were scored."""
        trainer, name = self._trainer, self._recipe.name
        if self._interrupted:
            print("interrupted; the weights so far are being scored and written", flush=True)
        if self._looks and self._looked_at != trainer.step:
            self._look()
        self._save()
        network, step = trainer.average, trainer.step
        if self._looks and (best := self._best()) is not None:
            network, step = copy.deepcopy(network), best["step"]
            network.load_state_dict(best["average"])
        out = self._settings.out or self._run.path
        card = publish_scored(network, step, trainer, self._recipe, self._material, out, self._settings.device)
        self._tell(
            "finished",
            step=step,
            weights=str(card.weights_path),
            card=str(card.path),
            stopped=trainer.step < self._recipe.steps,
        )
        _print_scores(name, card)
        print(f"-> {card.weights_path}")
        if trainer.step < self._recipe.steps:
            print(f"{trainer.step} of {self._recipe.steps} steps are done; the same command does the rest")

    def _save(self) -> None:
        save_checkpoint(self._trainer, self._run.checkpoint, data_sha256=self._material.sha256)

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

    def _best(self) -> dict[str, Any] | None:
        """The best weights so far; None if there are none, or what they were best on is not what validates now."""
        if not self._run.best.exists():
            return None
        best = read_torch(self._run.best)
        return best if best["data_sha256"] == self._material.sha256 else None

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


def _print_scores(name: str, card: ModelCard) -> None:
    for score in card.scores:
        value, spread, lowest = score["value"], score["spread"], score["lowest"]
        print(f"{name}: {score['metric']} {value:.4f} ± {spread:.4f}, lowest {lowest:.4f}")
