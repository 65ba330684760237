"""What every network here is: logits for each pixel of an image of any size."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch.nn.functional as F
from torch import Tensor, nn


class DenseNetwork(nn.Module, ABC):
    """A network that labels every pixel; subclasses compute on sizes that divide by `multiple`."""

    @property
    @abstractmethod
    def multiple(self) -> int:
        """Rows and columns are padded with zeros to a multiple of this."""

    @property
    @abstractmethod
    def early_stages(self) -> nn.ModuleList:
        """The stages that see the image before the others, the first one first; fine-tuning may freeze some."""

    @abstractmethod
    def logits(self, x: Tensor) -> Tensor:
        """Logits (batch, outputs, y, x) of images (batch, 1, y, x) whose y and x are multiples of `multiple`."""

    def forward(self, x: Tensor) -> Tensor:
        """Logits for every pixel.

        Parameters
        ----------
        x : Tensor of shape (batch, 1, y, x)
            Normalised images of any size.

        Returns
        -------
        Tensor of shape (batch, outputs, y, x)
        """
        height, width = x.shape[-2:]
        padded = F.pad(x, (0, -width % self.multiple, 0, -height % self.multiple))
        return self.logits(padded)[..., :height, :width]
