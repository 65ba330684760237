"""One training in its folder, with all its listeners; it resumes after any interruption."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from napari_bonescint.errors import BonescintError
from napari_bonescint.files.atomic import CannotWrite, make_folder, write_bytes_atomically
from napari_bonescint.training.loop.best_weights import BestWeights, Validation
from napari_bonescint.training.loop.checkpoint import read_checkpoint, save_checkpoint
from napari_bonescint.training.loop.export import Export
from napari_bonescint.training.loop.fabric import one_fails_all
from napari_bonescint.training.loop.listener import TrainingListener
from napari_bonescint.training.loop.resuming import identity_of
from napari_bonescint.training.loop.schedule import REPORT_EVERY
from napari_bonescint.training.loop.trainer import Trainer
from napari_bonescint.training.loop.validation import has_validation, validate
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
    """Settings of a training that do not belong to the recipe.

    Attributes
    ----------
    device : str
        Device for segmenting the validation scans.
    minutes : float or None
        Time limit without pauses: the number of steps is fixed after the first steps are timed. None for all steps.
    workers : int
        Number of processes that make examples.
    out : Path or None
        Folder for weights and card; None for the run's folder.
    steps : int or None
        Number of steps, if it is known from another training.
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
        Launched; only the first of several processes writes.
    folder : Path or RunFolder
        The run's folder; a training in it is resumed.
    settings : SessionSettings
    listeners : sequence of TrainingListener
        Further listeners besides the log and the terminal.
    export : TrainingListener, optional
        Receives the final weights, instead of their export.
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
        """True if the user stopped it before its last step."""
        return self._steering.is_stopped

    @property
    def planned(self) -> int | None:
        """Total number of steps; None before it is known."""
        return self._trainer.planned

    @property
    def card(self) -> ModelCard | None:
        """Card of the exported weights; None before the export, and if no weights were better than the initial ones."""
        return self._published.card

    def train(self) -> bool:
        """Train, score and export; return true if Ctrl-C stopped it.

        Raises
        ------
        BonescintError
            If training cannot continue; the log has the reason, too.
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
            # The reason may be a full disk, so writing may fail, too.
            with suppress(CannotWrite):
                for listener in self._followers:
                    listener.on_exception(error)
            raise
        finally:
            if first:
                self._run.leave()
        return self._steering.is_interrupted

    def _prepare(self) -> bool:
        """Make the trainer and the folder's files; return true if training resumes from a checkpoint."""
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
        """All listeners: followers, steering, validation, checkpoints and export."""
        recipe, material, run = self._recipe, self._material, self._run
        listeners = [*self._followers, self._steering]
        everyone: list[TrainingListener] = list(listeners)
        if self._validates:
            scoring = partial(validate, recipe=recipe, material=material, device=self._settings.device)
            everyone.append(Validation(self._trainer, scoring, self._best, run.samples, listeners))
        return [*everyone, _Checkpoints(self._trainer, run.checkpoint, material), self._export]

    @property
    def _validates(self) -> bool:
        return self._recipe.check_every > 0 and has_validation(self._material)

    def _begin(self, everyone: Sequence[TrainingListener], *, resumed: bool) -> None:
        trainer = self._trainer
        for listener in everyone:
            listener.on_fit_start(trainer.step, trainer.start, resumed=resumed)
        notes = []
        if trainer.step >= trainer.schedule.steps:
            notes.append("All steps are done already; start a new training (on the command line: another --name).")
        if self._recipe.check_every > 0 and not self._validates:
            notes.append("There are no validation scans, so the last weights are exported, not the best.")
        for sentence in notes:
            for listener in everyone:
                listener.on_note(sentence)

    def _finish(self, everyone: Sequence[TrainingListener]) -> None:
        """Export the best weights, or the last ones without validation."""
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
    """Saves checkpoints of a training, with the identity of its data."""

    def __init__(self, trainer: Trainer, path: Path, material: TrainingData) -> None:
        self._trainer, self._path = trainer, path
        self._about = {"data_sha256": material.sha256, "material": identity_of(material)}

    def save_checkpoint(self) -> None:
        """Replace the checkpoint by the present state."""
        save_checkpoint(self._trainer.state(), self._path, **self._about)
