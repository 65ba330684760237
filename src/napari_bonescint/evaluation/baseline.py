"""What new weights are compared with, which stays what it was once they are in use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_bonescint.evaluation.verdict import VERDICT_FILE
from napari_bonescint.inference.model_card import read_card
from napari_bonescint.inference.model_registry import current_model, find_model

if TYPE_CHECKING:
    from pathlib import Path

    from napari_bonescint.inference.model_card import ModelCard

_PREFIX = "against-"


@dataclass(frozen=True)
class BaselineComparison:
    """A comparison of new weights with others, made or still to be made.

    Attributes
    ----------
    folder : Path
        Where its verdict lies, or is to lie: beside the new weights.
    against : str
        Name or weights file of the model to compare with.
    in_use : bool
        Whether the new weights are in use already.
    """

    folder: Path
    against: str
    in_use: bool

    @property
    def is_made(self) -> bool:
        """Whether there is a verdict."""
        return (self.folder / VERDICT_FILE).exists()


def comparison_of(weights: Path, start: str) -> BaselineComparison:
    """What to compare new weights with: the model in use.

    If they are in use themselves, it is the model of the verdict that was given last, by which they were put to use;
    and without one the model that their training began with.

    Parameters
    ----------
    weights : Path
        The new weights, whose card lies beside them.
    start : str
        Name or weights file of the model that was in use when their training began.

    Raises
    ------
    ModelError
        If a model is gone or damaged.
    """
    new, current = read_card(weights.with_suffix(".json")), current_model()
    if current.weights_sha256 != new.weights_sha256:
        return BaselineComparison(verdict_folder(weights, current), str(current.weights_path), in_use=False)
    given = sorted(weights.parent.glob(f"{_PREFIX}*/{VERDICT_FILE}"), key=lambda path: path.stat().st_mtime_ns)
    if given:
        return BaselineComparison(given[-1].parent, start, in_use=True)
    return BaselineComparison(verdict_folder(weights, find_model(start)), start, in_use=True)


def verdict_folder(weights: Path, other: ModelCard) -> Path:
    """Where the verdict on new weights against another model lies."""
    # By hash, too: an update of the plugin may bring other weights of the same name.
    return weights.parent / f"{_PREFIX}{other.name}-{other.weights_sha256[:8]}"
