"""Convert networks from PyTorch to OpenVINO, for images of any size."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import openvino as ov

from napari_bonescint.inference.backends.engine import EngineUnavailable

if TYPE_CHECKING:
    from napari_bonescint.inference.model_card import ModelCard


def convert(card: ModelCard) -> ov.Model:
    """Convert a model's network from PyTorch, dilated nets in their phase-split form; takes up to two seconds.

    Returns
    -------
    openvino.Model
        Maps images (batch, channel, y, x) of any size to logits (batch, outputs, y, x).

    Raises
    ------
    EngineUnavailable
        If OpenVINO cannot convert the network.
    ModelError
        If the weights are missing, damaged or do not fit the card.
    """
    import torch

    from napari_bonescint.inference.backends.torch_engine import load_network

    network = load_network(card)
    size = 2 * network.multiple
    # A small image is enough, since operations are recorded, not sizes. More threads would slow a small image.
    image, threads = torch.zeros(1, network.inputs, size, size), torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # PyTorch recommends another, slower method of recording
            recorded = torch.jit.trace(network, image, check_trace=False)  # type: ignore[no-untyped-call]
            return ov.convert_model(recorded, input=[-1, network.inputs, -1, -1])
    except Exception as error:  # both libraries raise many types
        raise EngineUnavailable(f"OpenVINO cannot convert {card.name} ({type(error).__name__})") from error
    finally:
        torch.set_num_threads(threads)
