"""Validation during a training, and the weights that did best so far, on disk."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import torch

from napari_bonescint.atomic import make_folder, write_bytes_atomically
from napari_bonescint.training.loop.checkpoint import read_torch
from napari_bonescint.training.loop.listener import TrainingListener
from napari_bonescint.training.loop.schedule import REPORT_EVERY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from torch import Tensor, nn

    from napari_bonescint.training.loop.listener import TrainingProgress
    from napari_bonescint.training.loop.trainer import Trainer
    from napari_bonescint.training.loop.validation import Look


class BestWeights:
    """One file with the best weights of a training; those that it begins from are the first candidate.

    Parameters
    ----------
    path : Path
        The file, which need not exist.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def offer(self, step: int, dice: float, average: Mapping[str, Tensor]) -> bool:
        """Keep weights if they are better than all before, and say whether they are.

        Parameters
        ----------
        step : int
            After which step; the same step again, after a crash, counts once.
        dice : float
            What a look found. Of equal ones the first stay.
        average : mapping of str to Tensor

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
        """Remove what a training left that was never saved: another one begins."""
        self._path.unlink(missing_ok=True)


class Validation(TrainingListener):
    """Scores the validation scans now and then, keeps the weights if they are the best so far, and draws pictures.

    Parameters
    ----------
    trainer : Trainer
    look : callable
        Scores a network, see `validation.look_at`.
    best : BestWeights
    pictures : Path
        Folder for the pictures, which need not exist.
    listeners : sequence of TrainingListener
        Told what was found.
    """

    def __init__(
        self,
        trainer: Trainer,
        look: Callable[[nn.Module], Look | None],
        best: BestWeights,
        pictures: Path,
        listeners: Sequence[TrainingListener],
    ) -> None:
        self._trainer, self._look, self._best = trainer, look, best
        self._pictures, self._listeners = pictures, listeners
        self._last = -1

    def on_fit_start(self, step: int, models: Sequence[Mapping[str, Any]], *, resumed: bool) -> None:  # noqa: ARG002
        """The weights that training begins from are a candidate."""
        if models and step == 0:
            self._validate()

    def on_train_epoch_end(self, progress: TrainingProgress) -> None:
        """As often as the schedule says."""
        if progress.step % self._trainer.schedule.check_every < REPORT_EVERY:
            self._validate()

    def on_train_end(self) -> None:
        """The last weights are a candidate, too."""
        if self._last != self._trainer.step:
            self._validate()

    def _validate(self) -> None:
        step, average = self._trainer.step, self._trainer.average
        look = self._look(average)
        if look is None:
            for listener in self._listeners:
                listener.on_note("No validation scan can be read.")
            return
        self._last = step
        is_best = self._best.offer(step, look.dice.mean, average.state_dict())
        make_folder(self._pictures)
        picture = self._pictures / f"{step:06d}.png"
        write_bytes_atomically(picture, look.picture)
        for listener in self._listeners:
            listener.on_validation_end(step, look, picture, is_best=is_best)
