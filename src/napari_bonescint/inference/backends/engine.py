"""The interface of all engines, which compute logits of images, and their common errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from napari_bonescint.anatomy import REGIONS
from napari_bonescint.errors import BonescintError
from napari_bonescint.inference.model_card import FINDING_HOT_SPOTS, SEGMENTING, UPTAKE_CLASSES, ModelCard, ModelError
from napari_bonescint.inference.preprocessing import HOT_SPOT_NORMALISATION, NORMALISATION

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


_NORMALISATIONS = {SEGMENTING: NORMALISATION, FINDING_HOT_SPOTS: HOT_SPOT_NORMALISATION}
_OUTPUTS = {SEGMENTING: (1, len(REGIONS)), FINDING_HOT_SPOTS: (len(UPTAKE_CLASSES),)}


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
        """Logits (batch, outputs, y, x) of normalised images (batch, y, x) or (batch, channel, y, x) of any size."""


def require_known(card: ModelCard) -> None:
    """Refuse a model whose input or output this version does not support.

    Raises
    ------
    ModelError
        If its normalisation or its number of outputs is unknown.
    """
    known = _NORMALISATIONS[card.purpose]
    if card.normalisation != known:
        raise ModelError(
            f"Model {card.name} needs the input normalisation {card.normalisation}; this version has {known}. "
            "Install the version of napari-bonescint that the model was made with."
        )
    if card.outputs not in _OUTPUTS[card.purpose]:
        numbers = " or ".join(map(str, _OUTPUTS[card.purpose]))
        raise ModelError(
            f"Model {card.name} has {card.outputs} outputs; for {card.purpose}, this version supports {numbers}."
        )


def with_channels(images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Images as (batch, channel, y, x), from that or from (batch, y, x)."""
    return images if images.ndim == 4 else images[:, None]


def other_weights(card: ModelCard) -> ModelError:
    """The error for a weights file that holds another network."""
    return ModelError(f"{card.weights_path}: does not hold the weights of {card.architecture}.")


def not_loaded(engine: str, package: str, error: ImportError) -> EngineUnavailable:
    """The error for an engine whose package is not installed or does not work."""
    missing = isinstance(error, ModuleNotFoundError) and error.name == package
    return EngineUnavailable(f"{engine} is not installed" if missing else f"{engine} cannot be loaded ({error})")
