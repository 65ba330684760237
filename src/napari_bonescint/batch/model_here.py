"""Find the files of a model on the computer that shall compute."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import TYPE_CHECKING

from napari_bonescint.inference.model_card import ModelError
from napari_bonescint.inference.model_registry import find_model

if TYPE_CHECKING:
    from napari_bonescint.inference.model_card import ModelCard


def card_here(card: ModelCard) -> ModelCard:
    """The card of the same model on this computer: at the same path, or a shipped or accepted one."""
    if card.weights_path.exists():
        return card
    with suppress(ModelError):
        if (found := find_model(card.name)).weights_sha256 == card.weights_sha256:
            return found
    raise ModelError(
        f"{card.weights_path}: does not exist on {socket.gethostname()}, where a Dask worker runs; all computers need "
        "the same version of napari-bonescint and the same paths."
    )
