"""What every engine here is: logits for the pixels of a batch of images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from napari_bonescint.anatomy import REGIONS
from napari_bonescint.errors import BonescintError
from napari_bonescint.inference.model_card import ModelCard, ModelError
from napari_bonescint.inference.preprocessing import NORMALISATION

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class EngineUnavailable(BonescintError):
    """An engine cannot compute this model here; the text is a clause that says why, without a full stop."""


class Engine(Protocol):
    """A model, loaded and ready to compute.

    Attributes
    ----------
    name : str
        The engine's name, such as ``torch``.
    """

    name: str

    def logits(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Logits (batch, outputs, y, x) of normalised images (batch, y, x) of any size."""


def require_known(card: ModelCard) -> None:
    """Refuse a model that this version would feed or read wrongly.

    Raises
    ------
    ModelError
        If its input is normalised otherwise, or its outputs mean something unknown.
    """
    if card.normalisation != NORMALISATION:
        raise ModelError(
            f"Model {card.name} expects its input normalised as {card.normalisation}; this version does "
            f"{NORMALISATION}. Install the version that the model came with."
        )
    if card.outputs not in (1, len(REGIONS)):
        raise ModelError(
            f"Model {card.name} has {card.outputs} outputs; this version knows 1 (skeleton) and {len(REGIONS)} "
            "(background and regions)."
        )


def other_weights(card: ModelCard) -> ModelError:
    """The error for a weights file that holds another network."""
    return ModelError(f"{card.weights_path}: does not hold the weights of {card.architecture}.")


def not_loaded(engine: str, package: str, error: ImportError) -> EngineUnavailable:
    """The error for an engine whose package is not installed, or is there and does not work."""
    missing = isinstance(error, ModuleNotFoundError) and error.name == package
    return EngineUnavailable(f"{engine} is not installed" if missing else f"{engine} cannot be loaded ({error})")
