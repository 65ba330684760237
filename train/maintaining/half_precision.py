"""Measure the Dice that a model loses in half precision, on a CPU that rounds after each operation.

A GPU does the same: it sums in float32 and rounds the result of each operation. Only the order of the sums differs.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch.overrides import TorchFunctionMode

from dice_lost import mean_dice_lost
from napari_bonescint.inference.backends.torch_engine import load_network
from napari_bonescint.inference.backends.torch_gpu_engine import HALF
from napari_bonescint.inference.model_card import Half
from napari_bonescint.inference.segmenter import Segmenter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from napari_bonescint.evaluation.reference_sets import ReferenceSet
    from napari_bonescint.inference.backends.torch_gpu_engine import Precision
    from napari_bonescint.inference.model_card import ModelCard


class RoundedEngine:
    """A model in PyTorch on the CPU, with weights and the result of each operation rounded to half precision.

    Parameters
    ----------
    card : ModelCard
        The model.
    precision : {"float16", "bfloat16"}
        The type to round to.
    """

    def __init__(self, card: ModelCard, precision: Precision) -> None:
        self.name = f"torch-{precision}, by rounding"
        self._network = load_network(card)
        self._rounding = _Rounding(getattr(torch, precision))
        for module in self._network.modules():
            if isinstance(module, torch.nn.Conv2d | torch.nn.ConvTranspose2d):
                for parameter in module.parameters():
                    parameter.copy_(self._rounding.round(parameter))

    @property
    def largest(self) -> float:
        """The largest absolute result of any operation so far, before rounding."""
        return self._rounding.largest

    def logits(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Engine.logits`."""
        with torch.inference_mode(), self._rounding:
            logits: torch.Tensor = self._network(self._rounding.round(torch.from_numpy(images[:, None])))
        return logits.numpy()


class _Rounding(TorchFunctionMode):
    def __init__(self, half: torch.dtype) -> None:
        super().__init__()
        self._half = half
        self.largest = 0.0

    def round(self, tensor: torch.Tensor) -> torch.Tensor:
        return tensor.to(self._half).float()

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if not isinstance(result, torch.Tensor) or not result.is_floating_point():
            return result
        low, high = result.aminmax()
        finite = [
            abs(value) for value in (low.item(), high.item()) if abs(value) != torch.inf
        ]  # pooling pads with infinity
        self.largest = max(self.largest, *finite, 0.0)
        return self.round(result)


def measure_half(card: ModelCard, judged_on: ReferenceSet, precision: Precision = HALF) -> ModelCard:
    """Measure the loss of Dice in half precision (float16 or bfloat16), and return the card with `ModelCard.half`."""
    engine = RoundedEngine(card, precision)
    exact, rounded = Segmenter(replace(card, int8=None), "cpu"), Segmenter(card, "cpu", engine=engine)
    lost = mean_dice_lost(judged_on, exact, rounded)
    half = Half(
        precision=precision,
        dice_lost=lost,
        largest=round(engine.largest, 1),
        measured="on a CPU that rounds to it after each operation",
        data=judged_on.origin,
        scans=len(judged_on),
        weights_sha256=card.weights_sha256,
    )
    return replace(card, half=half)
