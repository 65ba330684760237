"""A training's curves in TensorBoard, for those who use it; the log has all of it without."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_bonescint.errors import BonescintError
from napari_bonescint.training.loop.listener import TrainingListener

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from napari_bonescint.training.loop.listener import TrainingProgress
    from napari_bonescint.training.loop.validation import Look


class CurvesError(BonescintError):
    """TensorBoard is not installed."""


class TensorBoardCurves(TrainingListener):
    """Writes losses, learning rate, speed and Dice, of all and of each region, as TensorBoard reads them.

    Parameters
    ----------
    folder : Path
        For its event files.

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
        """Loss, learning rate and speed."""
        names = ("loss", "learning_rate", "views_per_second")
        self._add(progress.step, {name: getattr(progress, name) for name in names})

    def on_validation_end(self, step: int, look: Look, picture: Path, *, is_best: bool) -> None:  # noqa: ARG002
        """Dice, of all and of each region, and loss."""
        regions = {f"regions/{name}": value for name, value in look.regions.items()}
        self._add(step, {"dice": look.dice.mean, "validation_loss": look.loss, **regions})

    def _add(self, step: int, curves: Mapping[str, float]) -> None:
        for name, value in curves.items():
            self._writer.add_scalar(name, value, step)
        self._writer.flush()

    def close(self) -> None:
        """Take no more."""
        self._writer.close()
