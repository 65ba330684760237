"""URI-Net: a U-Net with residual Inception units as blocks.

Source: the slide deck of the dilated nets (see `fdn`), which says little more than the name. This is our reading of it:
the topology of `unet`; each block is two units of parallel 1x1, 3x3 and 5x5 convolutions (Szegedy et al., "Going
Deeper with Convolutions", CVPR 2015), concatenated, batch-normalised and summed with the unit's input (He et al., "Deep
Residual Learning for Image Recognition", CVPR 2016). A 1x1 convolution adapts the input's width if it differs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from napari_bonescint.networks.dense import is_recorded
from napari_bonescint.networks.unet import UNet
from napari_bonescint.networks.widths import URI_NET_PATHS

if TYPE_CHECKING:
    from collections.abc import Callable


class URINet(UNet):
    """A U-Net of residual Inception units; its numbers of channels are multiples of 4."""

    @staticmethod
    def block(inputs: int, outputs: int) -> nn.Module:
        """Make the block of a level: two residual Inception units."""
        return nn.Sequential(ResidualInception(inputs, outputs), ResidualInception(outputs, outputs))


class ResidualInception(nn.Module):
    """Parallel 1x1, 3x3 and 5x5 convolutions, summed with the input."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.paths = nn.ModuleList(
            nn.Conv2d(inputs, outputs // part, size, padding=size // 2, bias=False)
            for size, part in URI_NET_PATHS.items()
        )
        self.normalisation = nn.BatchNorm2d(outputs)
        self.shortcut: Callable[[Tensor], Tensor] = (
            nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, kernel_size=1, bias=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Features (batch, outputs, y, x) of an input (batch, inputs, y, x)."""
        together = self._as_one(x) if is_recorded() else torch.cat([path(x) for path in self.paths], dim=1)
        return F.relu(self.normalisation(together) + self.shortcut(x))

    def _as_one(self, x: Tensor) -> Tensor:
        """Compute all paths by one convolution with kernels padded to the largest; faster in eight-bit integers."""
        largest = max(URI_NET_PATHS)
        sizes = zip(self.paths.parameters(), URI_NET_PATHS, strict=True)
        kernels = [F.pad(kernel, [(largest - size) // 2] * 4) for kernel, size in sizes]
        return F.conv2d(x, torch.cat(kernels), padding=largest // 2)
