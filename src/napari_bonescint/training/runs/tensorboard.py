"""Write a training's curves for TensorBoard; the event log has the same figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_bonescint.errors import BonescintError
from napari_bonescint.training.loop.listener import TrainingListener

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from napari_bonescint.training.loop.listener import TrainingProgress
    from napari_bonescint.training.loop.validation import ValidationScores


class CurvesError(BonescintError):
    """TensorBoard is not installed."""


class TensorBoardCurves(TrainingListener):
    """Writes losses, learning rate, throughput and Dice (mean and each region) to TensorBoard's files in `folder`.

    Raises
    ------
    CurvesError
        If TensorBoard is not installed.
    """

    def __init__(self, folder: Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise CurvesError(
                "--tensorboard needs TensorBoard; install it with: pip install 'napari-bonescint[tensorboard]'."
            ) from error
        self._writer = SummaryWriter(str(folder))

    def on_train_epoch_end(self, progress: TrainingProgress) -> None:
        """Write loss, learning rate and throughput."""
        names = ("loss", "learning_rate", "views_per_second")
        self._add(progress.step, {name: getattr(progress, name) for name in names})

    def on_validation_end(self, step: int, scores: ValidationScores, picture: Path, *, is_best: bool) -> None:  # noqa: ARG002
        """Write Dice, mean and of each region, and loss."""
        regions = {f"regions/{name}": value for name, value in scores.regions.items()}
        self._add(step, {"dice": scores.dice.mean, "validation_loss": scores.loss, **regions})

    def _add(self, step: int, curves: Mapping[str, float]) -> None:
        for name, value in curves.items():
            self._writer.add_scalar(name, value, step)
        self._writer.flush()

    def close(self) -> None:
        """Close the files."""
        self._writer.close()
