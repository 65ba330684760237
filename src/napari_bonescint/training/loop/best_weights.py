"""The weights that did best at a look so far, on disk."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import torch

from napari_bonescint.atomic import write_bytes_atomically
from napari_bonescint.training.loop.checkpoint import read_torch

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch import Tensor


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
