"""DLN-11: a patch classifier with pooling of stride 2 and learned upsampling.

Source: the slide deck of the dilated nets (see `fdn`), which says little more than the name. This is our reading of it:
FDN-11's layers with ordinary poolings of stride 2, then one learned upsampling for each pooling, and no skips. The
upsamplings are transposed convolutions that start as bilinear interpolation (Long, Shelhamer, Darrell, "Fully
Convolutional Networks for Semantic Segmentation", CVPR 2015) of a random mix of channels; the widths decrease as they
increased in the stages. A ReLU follows each one, and the 1x1 convolution follows the last.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from napari_bonescint.networks.dense import DenseNetwork
from napari_bonescint.networks.fdn import build_stages

if TYPE_CHECKING:
    from collections.abc import Sequence


class DLN(DenseNetwork):
    """A classifier with learned upsampling.

    Each of the `stages` is the output channels of its 3x3 convolutions, and ends with a 2x2 max-pooling. `outputs` is 1
    for a skeleton logit, or the number of region codes.
    """

    def __init__(self, stages: Sequence[Sequence[int]], *, outputs: int = 1) -> None:
        super().__init__()
        self.multiple = 1 << len(stages)
        self.stages = build_stages(stages, padding=1)
        widths = [stage[-1] for stage in reversed(stages)]
        self.up = nn.ModuleList(_bilinear(*channels) for channels in pairwise([*widths, widths[-1]]))
        self.head = nn.Conv2d(widths[-1], outputs, kernel_size=1)

    @property
    def early_stages(self) -> nn.ModuleList:
        """See `DenseNetwork.early_stages`."""
        return self.stages

    def logits(self, x: Tensor) -> Tensor:
        """See `DenseNetwork.logits`."""
        for stage in self.stages:
            if not isinstance(stage, nn.ModuleList):
                raise TypeError("a stage is a list of layers")
            for layer in stage:
                x = F.relu(layer(x))
            x = F.max_pool2d(x, 2)
        for up in self.up:
            x = F.relu(up(x))
        logits: Tensor = self.head(x)
        return logits


def _bilinear(inputs: int, outputs: int) -> nn.ConvTranspose2d:
    """Upsampling by two that starts as bilinear interpolation of random mixes of the inputs."""
    up = nn.ConvTranspose2d(inputs, outputs, kernel_size=4, stride=2, padding=1)
    line = torch.tensor([0.25, 0.75, 0.75, 0.25])
    mix = nn.init.kaiming_normal_(torch.empty(outputs, inputs), nonlinearity="relu").T
    with torch.no_grad():
        up.weight.copy_(mix[:, :, None, None] * torch.outer(line, line))
    if up.bias is not None:
        nn.init.zeros_(up.bias)
    return up
