"""U-Net: an encoder-decoder with skip connections, also on interleaved phases.

Source: Ronneberger, Fischer, Brox, "U-Net: Convolutional Networks for Biomedical Image Segmentation", MICCAI 2015; with
zero padding and batch normalisation, as is common since. The deck of the dilated nets does not state its U-Net's
width; `zoo` takes 16.

With ``phases`` the image's four interleaved sub-images enter as four channels, and logits leave in the same way. So all
layers work on a grid twice as coarse, and each pixel still has its own logit. A camera resolves 8 to 10 mm, so pixels
of 2 mm lose little, and an image takes a quarter of the time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from napari_bonescint.networks.dense import DenseNetwork

if TYPE_CHECKING:
    from collections.abc import Sequence


class UNet(DenseNetwork):
    """A U-Net.

    `widths` are the channels at each level, the finest first; a 2x2 max-pooling lies between two levels. `outputs` is 1
    for a skeleton logit, or the number of classes. `inputs` is the number of channels of the image. `phases` selects
    the four interleaved sub-images of the input.
    """

    def __init__(self, widths: Sequence[int], *, outputs: int = 1, inputs: int = 1, phases: bool = False) -> None:
        super().__init__()
        self._step = 2 if phases else 1
        self.multiple = self._step << (len(widths) - 1)
        self.inputs = inputs
        channels = inputs * self._step**2
        self.encoder = nn.ModuleList()
        for width in widths:
            self.encoder.append(self.block(channels, width))
            channels = width
        self.up, self.decoder = nn.ModuleList(), nn.ModuleList()
        for width in reversed(widths[:-1]):
            self.up.append(nn.ConvTranspose2d(channels, width, kernel_size=2, stride=2))
            self.decoder.append(self.block(2 * width, width))
            channels = width
        self.head = nn.Conv2d(channels, outputs * self._step**2, kernel_size=1)

    @property
    def early_stages(self) -> nn.ModuleList:
        """See `DenseNetwork.early_stages`."""
        return self.encoder

    def logits(self, x: Tensor) -> Tensor:
        """See `DenseNetwork.logits`."""
        x = F.pixel_unshuffle(x, self._step)
        skips: list[Tensor] = []
        for level, block in enumerate(self.encoder):
            x = block(F.max_pool2d(x, 2) if level else x)
            skips.append(x)
        skips.pop()
        for up, block in zip(self.up, self.decoder, strict=True):
            x = block(torch.cat([skips.pop(), up(x)], dim=1))
        return F.pixel_shuffle(self.head(x), self._step)

    @staticmethod
    def block(inputs: int, outputs: int) -> nn.Module:
        """Make the block of a level: two 3x3 convolutions, each with batch normalisation and ReLU."""
        layers: list[nn.Module] = []
        for channels in (inputs, outputs):
            layers += [
                nn.Conv2d(channels, outputs, kernel_size=3, padding=1, bias=False),
                nn.BatchNorm2d(outputs),
                nn.ReLU(inplace=True),
            ]
        return nn.Sequential(*layers)
