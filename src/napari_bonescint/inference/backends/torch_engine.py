"""The PyTorch engine for CPUs, which computes every network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_bonescint.inference.backends.engine import other_weights, with_channels
from napari_bonescint.inference.devices import core_limit
from napari_bonescint.inference.model_card import FINDING_HOT_SPOTS, ModelCard, ModelError
from napari_bonescint.inference.weights import read_tensors
from napari_bonescint.networks.widths import HOT_SPOT_CHANNELS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_bonescint.networks.dense import DenseNetwork


class TorchEngine:
    """A model in PyTorch on the CPU.

    Raises
    ------
    ModelError
        If the weights are missing, damaged or do not fit the card.
    """

    name = "torch"

    def __init__(self, card: ModelCard) -> None:
        import torch

        # By default, PyTorch uses all cores, or the number in the variable OMP_NUM_THREADS.
        if (cores := core_limit()) is not None:
            torch.set_num_threads(cores)
        self._network = load_network(card)
        # About 1.4 times faster: otherwise oneDNN reorders each activation.
        torch.nn.utils.convert_conv2d_weight_memory_format(self._network, torch.channels_last)

    def logits(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Engine.logits`."""
        import torch

        with torch.inference_mode():
            logits: NDArray[np.float32] = self._network(torch.from_numpy(with_channels(images))).numpy()
            return logits


def load_network(card: ModelCard) -> DenseNetwork:
    """Load a model's network with its weights on the CPU, for inference.

    Raises
    ------
    ModelError
        If the weights are missing, damaged or do not fit the card.
    """
    from safetensors import SafetensorError

    from napari_bonescint.networks.zoo import UnknownArchitectureError, build_network

    try:
        network = build_network(card.architecture, outputs=card.outputs)
    except UnknownArchitectureError as error:
        raise ModelError(f"Model {card.name}: {error}") from error
    if network.inputs != (HOT_SPOT_CHANNELS if card.purpose == FINDING_HOT_SPOTS else 1):
        raise ModelError(f"Model {card.name}: {card.architecture} is no network for {card.purpose}.")
    try:
        network.load_state_dict(read_tensors(card.read_weights()))
    except (SafetensorError, RuntimeError) as error:
        raise other_weights(card) from error
    return network.eval().requires_grad_(requires_grad=False)
