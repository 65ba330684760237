"""Validate during a training, and keep the best weights on disk."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import torch

from napari_bonescint.files.atomic import make_folder, write_bytes_atomically
from napari_bonescint.training.loop.checkpoint import read_torch
from napari_bonescint.training.loop.listener import TrainingListener
from napari_bonescint.training.loop.schedule import REPORT_EVERY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from torch import Tensor, nn

    from napari_bonescint.training.loop.listener import TrainingProgress
    from napari_bonescint.training.loop.trainer import Trainer
    from napari_bonescint.training.loop.validation import ValidationScores


class BestWeights:
    """A file with the best weights of a training; its initial weights are the first candidate.

    Parameters
    ----------
    path : Path
        The file, which need not exist.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def offer(self, step: int, dice: float, average: Mapping[str, Tensor]) -> bool:
        """Keep weights if they are better than all earlier ones; return true if they are.

        Parameters
        ----------
        step : int
            Number of the step. The same step again, after a crash, replaces itself.
        dice : float
            Dice on the validation scans. Of equal weights the first are kept.
        average : mapping of str to Tensor
            The averaged weights.

        Raises
        ------
        CheckpointError
            If the file is damaged.
        CannotWrite
            If the disk is full or not writable.
        """
        best = self.read()
        if best is not None and dice <= best["dice"] and step != best["step"]:
            return False
        buffer = io.BytesIO()
        torch.save({"step": step, "dice": dice, "average": dict(average)}, buffer)
        write_bytes_atomically(self._path, buffer.getvalue())
        return True

    def read(self) -> dict[str, Any] | None:
        """``step``, ``dice`` and ``average`` of the best so far; None if there are none.

        Raises
        ------
        CheckpointError
            If the file is damaged.
        """
        return read_torch(self._path) if self._path.exists() else None

    def forget(self) -> None:
        """Delete the file, left by a training without checkpoint, before a new training."""
        self._path.unlink(missing_ok=True)


class Validation(TrainingListener):
    """Scores the weights on the validation scans at intervals, keeps the best weights, and draws pictures.

    Parameters
    ----------
    trainer : Trainer
    validate : callable
        Scores a network, see `validation.validate`.
    best : BestWeights
    pictures : Path
        Folder for the pictures, which need not exist.
    listeners : sequence of TrainingListener
        They receive the scores.
    """

    def __init__(
        self,
        trainer: Trainer,
        validate: Callable[[nn.Module], ValidationScores | None],
        best: BestWeights,
        pictures: Path,
        listeners: Sequence[TrainingListener],
    ) -> None:
        self._trainer, self._validate_network, self._best = trainer, validate, best
        self._pictures, self._listeners = pictures, listeners
        self._last = -1

    def on_fit_start(self, step: int, models: Sequence[Mapping[str, Any]], *, resumed: bool) -> None:  # noqa: ARG002
        """Score the initial weights."""
        if models and step == 0:
            self._validate()

    def on_train_epoch_end(self, progress: TrainingProgress) -> None:
        """Score the weights if the schedule requires it."""
        if progress.step % self._trainer.schedule.check_every < REPORT_EVERY:
            self._validate()

    def on_train_end(self) -> None:
        """Score the last weights, unless they were scored already."""
        if self._last != self._trainer.step:
            self._validate()

    def _validate(self) -> None:
        step, average = self._trainer.step, self._trainer.average
        scores = self._validate_network(average)
        if scores is None:
            for listener in self._listeners:
                listener.on_note("No validation scan can be read.")
            return
        self._last = step
        is_best = self._best.offer(step, scores.dice.mean, average.state_dict())
        make_folder(self._pictures)
        picture = self._pictures / f"{step:06d}.png"
        write_bytes_atomically(picture, scores.picture)
        for listener in self._listeners:
            listener.on_validation_end(step, scores, picture, is_best=is_best)
