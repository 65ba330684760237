"""Choose the baseline model of a comparison: it stays fixed once the new weights are in use."""

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
    """A comparison of new weights with a baseline, finished or planned.

    Attributes
    ----------
    folder : Path
        Folder of the verdict, beside the new weights.
    baseline : str
        Name or weights file of the baseline model.
    in_use : bool
        True if the new weights are in use already.
    """

    folder: Path
    baseline: str
    in_use: bool

    @property
    def is_finished(self) -> bool:
        """True if the folder holds a verdict."""
        return (self.folder / VERDICT_FILE).exists()


def comparison_of(weights: Path, start: str) -> BaselineComparison:
    """Choose the baseline of new weights: the model in use.

    If the new weights are in use themselves, the baseline is that of the last verdict or, without a verdict, the model
    that training started from.

    Parameters
    ----------
    weights : Path
        The new weights, with their card beside them.
    start : str
        Name or weights file of the model that was in use when training started.

    Raises
    ------
    ModelError
        If a model is missing or damaged.
    """
    new, current = read_card(weights.with_suffix(".json")), current_model()
    if current.weights_sha256 != new.weights_sha256:
        return BaselineComparison(verdict_folder(weights, current), str(current.weights_path), in_use=False)
    given = sorted(weights.parent.glob(f"{_PREFIX}*/{VERDICT_FILE}"), key=lambda path: path.stat().st_mtime_ns)
    if given:
        return BaselineComparison(given[-1].parent, start, in_use=True)
    return BaselineComparison(verdict_folder(weights, find_model(start)), start, in_use=True)


def verdict_folder(weights: Path, other: ModelCard) -> Path:
    """The folder of the verdict that compares new weights with another model."""
    # The hash distinguishes weights of the same name, which an update of the plugin may bring.
    return weights.parent / f"{_PREFIX}{other.name}-{other.weights_sha256[:8]}"
