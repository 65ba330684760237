"""The networks as OpenVINO graphs, for images of any size."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import openvino as ov

from napari_bonescint.inference.backends.engine import EngineUnavailable

if TYPE_CHECKING:
    from napari_bonescint.inference.model_card import ModelCard


def convert(card: ModelCard) -> ov.Model:
    """Convert a model's network from PyTorch, dilated nets phase-split; takes a second or two.

    Parameters
    ----------
    card : ModelCard
        Which model.

    Returns
    -------
    openvino.Model
        From images (batch, 1, y, x) to logits (batch, outputs, y, x), all sizes open.

    Raises
    ------
    EngineUnavailable
        If OpenVINO cannot convert it.
    ModelError
        If the weights are missing, damaged or not what the card says.
    """
    import torch

    from napari_bonescint.inference.backends.torch_engine import load_network

    network = load_network(card)
    # Any small image does: its operations are recorded, not its size. More threads would only wait for each other.
    image, threads = torch.zeros(1, 1, 2 * network.multiple, 2 * network.multiple), torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # PyTorch would rather have its slower ways of recording used
            recorded = torch.jit.trace(network, image, check_trace=False)  # type: ignore[no-untyped-call]
            return ov.convert_model(recorded, input=[-1, 1, -1, -1])
    except Exception as error:  # of whatever kind, from either library
        raise EngineUnavailable(f"OpenVINO cannot convert {card.name} ({type(error).__name__})") from error
    finally:
        torch.set_num_threads(threads)
