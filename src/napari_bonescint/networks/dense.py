"""Base class of all networks: logits for each pixel of an image of any size."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class DenseNetwork(nn.Module, ABC):
    """A network that labels every pixel; a subclass computes on sizes that are multiples of `multiple`."""

    multiple: int
    """`forward` pads rows and columns with zeros to a multiple of this number; every network sets it."""

    inputs: int = 1
    """Number of channels of an image."""

    @property
    @abstractmethod
    def early_stages(self) -> nn.ModuleList:
        """The first stages of the network, from its input on; fine-tuning may freeze some."""

    @abstractmethod
    def logits(self, x: Tensor) -> Tensor:
        """Logits (batch, outputs, y, x) of images (batch, inputs, y, x) whose y and x are multiples of `multiple`."""

    def forward(self, x: Tensor) -> Tensor:
        """Logits (batch, outputs, y, x) of normalised images (batch, inputs, y, x) of any size."""
        height, width = x.shape[-2:]
        padded = F.pad(x, (0, -width % self.multiple, 0, -height % self.multiple))
        return self.logits(padded)[..., :height, :width]


def is_recorded() -> bool:
    """Whether PyTorch records its operations for OpenVINO, which is faster with other forms of some."""
    recorded: bool = torch.jit.is_tracing()  # type: ignore[attr-defined,no-untyped-call]
    return recorded and not torch.onnx.is_in_onnx_export()
