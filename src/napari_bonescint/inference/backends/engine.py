"""The interface of all engines, which compute logits of images, and their common errors."""

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
    """An engine cannot compute a model on this computer; the text is a clause with the reason, without a full stop."""


class Engine(Protocol):
    """An engine with a loaded model.

    Attributes
    ----------
    name : str
        The engine's name, such as ``torch``.
    """

    name: str

    def logits(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Logits (batch, outputs, y, x) of normalised images (batch, y, x) of any size."""


def require_known(card: ModelCard) -> None:
    """Refuse a model whose input or output this version does not support.

    Raises
    ------
    ModelError
        If its normalisation or its number of outputs is unknown.
    """
    if card.normalisation != NORMALISATION:
        raise ModelError(
            f"Model {card.name} needs the input normalisation {card.normalisation}; this version has {NORMALISATION}. "
            "Install the version of napari-bonescint that the model was made with."
        )
    if card.outputs not in (1, len(REGIONS)):
        raise ModelError(
            f"Model {card.name} has {card.outputs} outputs; this version supports 1 (skeleton) and {len(REGIONS)} "
            "(background and regions)."
        )


def other_weights(card: ModelCard) -> ModelError:
    """The error for a weights file that holds another network."""
    return ModelError(f"{card.weights_path}: does not hold the weights of {card.architecture}.")


def not_loaded(engine: str, package: str, error: ImportError) -> EngineUnavailable:
    """The error for an engine whose package is not installed or does not work."""
    missing = isinstance(error, ModuleNotFoundError) and error.name == package
    return EngineUnavailable(f"{engine} is not installed" if missing else f"{engine} cannot be loaded ({error})")
