"""A training's curves in TensorBoard, for those who use it; the log has all of it without."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_bonescint.errors import BonescintError

if TYPE_CHECKING:
    from pathlib import Path


class CurvesError(BonescintError):
    """TensorBoard is not installed."""


class TensorBoardCurves:
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

    def append(self, event: str, **facts: object) -> None:
        """Take an event of the log, see `log`; what is no curve is left out."""
        names = {"progress": ("loss", "learning_rate", "views_per_second"), "check": ("dice",)}.get(event, ())
        curves = {name: facts[name] for name in names}
        if event == "check":
            curves["validation_loss"] = facts["loss"]
            regions = facts["regions"]
            if isinstance(regions, dict):
                curves |= {f"regions/{name}": value for name, value in regions.items()}
        for name, value in curves.items():
            self._writer.add_scalar(name, value, facts["step"])
        self._writer.flush()

    def close(self) -> None:
        """Take no more."""
        self._writer.close()
