"""One training from beginning to end: its listeners put together, gone on with after any interruption."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from napari_bonescint.atomic import CannotWrite, make_folder, write_bytes_atomically
from napari_bonescint.errors import BonescintError
from napari_bonescint.training.loop.best_weights import BestWeights, Validation
from napari_bonescint.training.loop.checkpoint import read_checkpoint, save_checkpoint
from napari_bonescint.training.loop.export import Export
from napari_bonescint.training.loop.fabric import one_fails_all
from napari_bonescint.training.loop.listener import TrainingListener
from napari_bonescint.training.loop.resuming import identity_of
from napari_bonescint.training.loop.schedule import REPORT_EVERY
from napari_bonescint.training.loop.trainer import Trainer
from napari_bonescint.training.loop.validation import has_validation, look_at
from napari_bonescint.training.runs.event_log import EventLog
from napari_bonescint.training.runs.printer import Printer
from napari_bonescint.training.runs.run_folder import RunFolder
from napari_bonescint.training.runs.steering import Steering

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lightning_fabric import Fabric

    from napari_bonescint.inference.model_card import ModelCard
    from napari_bonescint.training.data.training_data import TrainingData
    from napari_bonescint.training.loop.recipe import Recipe


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
    listeners : sequence of TrainingListener
        Told what happens besides the log and the terminal.
    export : TrainingListener, optional
        What the weights are handed over to instead of being published.
    """

    def __init__(
        self,
        recipe: Recipe,
        material: TrainingData,
        fabric: Fabric,
        folder: Path | RunFolder,
        settings: SessionSettings,
        listeners: Sequence[TrainingListener] = (),
        export: TrainingListener | None = None,
    ) -> None:
        self._recipe, self._material, self._fabric, self._settings = recipe, material, fabric, settings
        run = self._run = folder if isinstance(folder, RunFolder) else RunFolder(folder)
        self._best = BestWeights(run.best)
        self._steering = Steering(run, recipe, settings.minutes)
        log, printer = EventLog(run.log, material, run.checkpoint), Printer(recipe, material, run.request)
        self._followers: list[TrainingListener] = [log, printer, *listeners] if fabric.is_global_zero else []
        self._published = Export(recipe, material, settings.out or run.path, settings.device, self._followers)
        self._export = export or self._published
        self._trainer: Trainer

    @property
    def is_stopped(self) -> bool:
        """Whether somebody ended it before its last step."""
        return self._steering.is_stopped

    @property
    def planned(self) -> int | None:
        """How many steps the training takes in all; None before that is known."""
        return self._trainer.planned

    @property
    def card(self) -> ModelCard | None:
        """Of the weights that were published; None before, and if none were better than those that it began from."""
        return self._published.card

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
            resumed = self._prepare()
            everyone = self._everyone() if first else []
            with self._steering.ctrl_c(), one_fails_all(self._fabric.world_size):
                self._begin(everyone, resumed=resumed)
                self._trainer.fit(
                    everyone,
                    self._steering if first else None,
                    every=REPORT_EVERY,
                    workers=self._settings.workers,
                )
            self._finish(everyone)
            with one_fails_all(self._fabric.world_size):
                self._fabric.barrier()
        except BonescintError as error:
            # A full disk may be the very reason.
            with suppress(CannotWrite):
                for listener in self._followers:
                    listener.on_exception(error)
            raise
        finally:
            if first:
                self._run.leave()
        return self._steering.is_interrupted

    def _prepare(self) -> bool:
        """Make the trainer and the folder's files, and say whether training goes on from a checkpoint."""
        trainer = self._trainer = Trainer(
            self._recipe, self._material.source(self._recipe.simulated_share), self._fabric
        )
        state = read_checkpoint(self._run.checkpoint, identity_of(self._material))
        if state is not None:
            trainer.restore(state)
        elif self._fabric.is_global_zero:
            self._best.forget()
        if trainer.planned is None:
            trainer.planned = self._settings.steps
        if trainer.planned is None and self._settings.minutes is None:
            trainer.planned = self._recipe.steps
        if self._fabric.is_global_zero:
            make_folder(self._settings.out or self._run.path)
            manifest = json.dumps({**self._material.manifest, "sha256": self._material.sha256}, indent=1)
            write_bytes_atomically(self._run.data, manifest.encode())
        return state is not None

    def _everyone(self) -> list[TrainingListener]:
        """Those who follow the training, those who work for it, and the one who steers it."""
        recipe, material, run = self._recipe, self._material, self._run
        told = [*self._followers, self._steering]
        everyone: list[TrainingListener] = list(told)
        if self._validates:
            look = partial(look_at, recipe=recipe, material=material, device=self._settings.device)
            everyone.append(Validation(self._trainer, look, self._best, run.samples, told))
        return [*everyone, _Checkpoints(self._trainer, run.checkpoint, material), self._export]

    @property
    def _validates(self) -> bool:
        return self._recipe.check_every > 0 and has_validation(self._material)

    def _begin(self, everyone: Sequence[TrainingListener], *, resumed: bool) -> None:
        trainer = self._trainer
        for listener in everyone:
            listener.on_fit_start(trainer.step, trainer.start, resumed=resumed)
        notes = {
            "All steps are done already; give another --name to train anew.": trainer.step >= trainer.schedule.steps,
            "No patient validates yet, so the last weights are kept, not the best.": self._recipe.check_every > 0
            and not self._validates,
        }
        for sentence, holds in notes.items():
            for listener in everyone if holds else ():
                listener.on_note(sentence)

    def _finish(self, everyone: Sequence[TrainingListener]) -> None:
        """Hand over the best weights, or the last where none were scored."""
        trainer = self._trainer
        if self._steering.is_interrupted:
            for listener in everyone:
                listener.on_interrupt()
        for listener in everyone:
            listener.on_train_end()
        for listener in everyone:
            listener.save_checkpoint()
        if everyone:
            finished = trainer.finished(self._best.read() if self._validates else None)
            for listener in everyone:
                listener.export_weights(finished)
        for listener in everyone:
            listener.on_fit_end(trainer.step, trainer.schedule.steps)


class _Checkpoints(TrainingListener):
    """Saves a training, with what it learns from."""

    def __init__(self, trainer: Trainer, path: Path, material: TrainingData) -> None:
        self._trainer, self._path = trainer, path
        self._about = {"data_sha256": material.sha256, "material": identity_of(material)}

    def save_checkpoint(self) -> None:
        """Write the present state in place of the one before."""
        save_checkpoint(self._trainer.state(), self._path, **self._about)
