"""The family of dilated nets (FDN): patch classifiers converted to dense predictors.

Source: the slide deck "Semantic segmentation of the skeleton in bone scintigraphy images with convolutional neural
networks". A VGG-like patch classifier (3x3 convolutions, 2x2 max-pooling, one 1x1 convolution) becomes dense if every
pooling has stride 1 and the dilation of all later layers doubles. The deck does not explain the suffixes ``e`` and
``b``, the padding of borders and the position of the patch around its pixel. Our reading: ELU, batch normalisation,
zeros before each convolution, and centred to half a pixel.

This file computes the same function in two ways. *Dilated* follows the definition. *Phase-split* cuts the image into
four interleaved sub-images after each pooling, applies ordinary convolutions to them, and interleaves the result at
the end: equal except for rounding, and much faster on most engines. Phases are independent after a split, so training
may compute only some of them (`FDN.forward_sampled`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from napari_bonescint.networks.dense import DenseNetwork, is_recorded

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Activation = Literal["relu", "elu"]
Computation = Literal["dilated", "phase-split"]

_ACTIVATIONS: dict[Activation, Callable[[Tensor], Tensor]] = {"relu": F.relu, "elu": F.elu}


class FDN(DenseNetwork):
    """A dilated net.

    `stages` are the output channels of each stage's 3x3 convolutions; each stage ends with a max-pooling. `outputs` is
    1 for a skeleton logit, or the number of region codes. `activation` follows each 3x3 convolution, after batch
    normalisation if `batch_norm`. `computation` selects how `forward` computes; it may be changed at any time.
    """

    def __init__(
        self,
        stages: Sequence[Sequence[int]],
        *,
        outputs: int = 1,
        activation: Activation = "relu",
        batch_norm: bool = False,
    ) -> None:
        super().__init__()
        self.multiple = 1 << (len(stages) - 1)
        self.computation: Computation = "phase-split"
        self._activation = _ACTIVATIONS[activation]
        self.stages = build_stages(stages, batch_norm=batch_norm)
        self.head = _initialised(nn.Conv2d(stages[-1][-1], outputs, kernel_size=1))

    @property
    def field_of_view(self) -> int:
        """Width and height in pixels of the patch that determines one pixel's logit."""
        return 1 + sum((2 * len(layers) + 1) << k for k, layers in enumerate(self._layers()))

    @property
    def early_stages(self) -> nn.ModuleList:
        """See `DenseNetwork.early_stages`."""
        return self.stages

    def logits(self, x: Tensor) -> Tensor:
        """See `DenseNetwork.logits`."""
        return self._dilated(x) if self.computation == "dilated" else self._phase_split(x)

    def forward_sampled(self, x: Tensor, keep: Sequence[int], generator: torch.Generator) -> tuple[Tensor, PhaseSample]:
        """Logits of a random subset of the pixels of images (batch, 1, y, x), for training.

        The sizes y and x are multiples of `multiple`. `keep` is the number of the four phases to keep after each stage
        but the last; ``(4, 4, ...)`` keeps all. `generator`, on the CPU, makes the choice. Returns logits (samples,
        outputs, y', x'), and a sample that selects the same pixels from any image of the input's size, such as the true
        mask.
        """
        if len(keep) != len(self.stages) - 1:
            raise ValueError(f"keep needs {len(self.stages) - 1} numbers, one for each stage but the last, not {keep}")
        chosen = []
        for k, layers in enumerate(self._layers()):
            x = self._stage(layers, x, dilation=1, last=k == len(self.stages) - 1)
            if k < len(keep):
                x = split_phases(x)
                picks = None
                if keep[k] < 4:
                    picks = torch.randperm(len(x), generator=generator)[: len(x) * keep[k] // 4].to(x.device)
                    x = x[picks]
                chosen.append(picks)
        return self.head(x), PhaseSample(tuple(chosen))

    def _layers(self) -> list[nn.ModuleList]:
        return [stage for stage in self.stages if isinstance(stage, nn.ModuleList)]

    def _dilated(self, x: Tensor) -> Tensor:
        for k, layers in enumerate(self._layers()):
            x = self._stage(layers, x, dilation=1 << k, last=k == len(self.stages) - 1)
        logits: Tensor = self.head(x)
        return logits

    def _phase_split(self, x: Tensor) -> Tensor:
        splits = len(self.stages) - 1
        for k, layers in enumerate(self._layers()):
            x = self._stage(layers, x, dilation=1, last=k == splits)
            if k < splits:
                x = split_phases(x)
        x = self.head(x)
        for _ in range(splits):
            x = join_phases(x)
        return x

    def _stage(self, layers: nn.ModuleList, x: Tensor, *, dilation: int, last: bool) -> Tensor:
        for layer in layers:
            convolution, *normalisation = layer.children()
            if not isinstance(convolution, nn.Conv2d):
                raise TypeError("a layer begins with its convolution")
            x = F.conv2d(x, convolution.weight, convolution.bias, padding=dilation, dilation=dilation)
            for norm in normalisation:
                x = norm(x)
            x = self._activation(x)
        # Pooling looks back in every stage, but forward in the last, since 1 + 2 + ... + 2^(n-1) is one less than 2^n.
        # So the patch is centred on its pixel to half a pixel, and the image is not shifted.
        before, after = (0, dilation) if last else (dilation, 0)
        x = F.pad(x, (before, after, before, after), value=-torch.inf)
        return F.max_pool2d(x, kernel_size=2, stride=1, dilation=dilation)


class PhaseSample:
    """The phases that `FDN.forward_sampled` computed."""

    def __init__(self, chosen: tuple[Tensor | None, ...]) -> None:
        self._chosen = chosen

    def pick(self, image: Tensor) -> Tensor:
        """Select pixels of `image` (batch, channels, y, x) in the order of the logits: (samples, channels, y', x')."""
        for picks in self._chosen:
            image = split_phases(image)
            image = image if picks is None else image[picks]
        return image


def split_phases(x: Tensor) -> Tensor:
    """Cut (batch, c, y, x) into its four interleaved sub-images: (4 * batch, c, y / 2, x / 2), phase by phase."""
    n, c, h, w = x.shape
    if is_recorded():  # OpenVINO is fast with slices, not with six axes; PyTorch is slow with their gradient
        return torch.cat([x[..., row::2, column::2] for row in (0, 1) for column in (0, 1)])
    channels_last = x.is_contiguous(memory_format=torch.channels_last)
    x = x.reshape(n, c, h // 2, 2, w // 2, 2)
    if channels_last:  # keep this layout, or the next convolution would reorder all pixels
        return x.permute(3, 5, 0, 2, 4, 1).reshape(4 * n, h // 2, w // 2, c).permute(0, 3, 1, 2)
    return x.permute(3, 5, 0, 1, 2, 4).reshape(4 * n, c, h // 2, w // 2)


def join_phases(x: Tensor) -> Tensor:
    """Interleave (4 * batch, c, y, x) into (batch, c, y * 2, x * 2): the inverse of `split_phases`."""
    n, c, h, w = x.shape
    x = x.reshape(2, 2, n // 4, c, h, w)
    return x.permute(2, 3, 4, 0, 5, 1).reshape(n // 4, c, h * 2, w * 2)


def build_stages(stages: Sequence[Sequence[int]], *, padding: int = 0, batch_norm: bool = False) -> nn.ModuleList:
    """Make the untrained 3x3 convolutions of each stage, from one channel to the given widths."""
    built = nn.ModuleList()
    channels = 1
    for widths in stages:
        layers = nn.ModuleList()
        for width in widths:
            convolution = _initialised(nn.Conv2d(channels, width, kernel_size=3, padding=padding))
            layers.append(nn.Sequential(convolution, *([nn.BatchNorm2d(width)] if batch_norm else [])))
            channels = width
        built.append(layers)
    return built


def _initialised(convolution: nn.Conv2d) -> nn.Conv2d:
    nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
    if convolution.bias is not None:
        nn.init.zeros_(convolution.bias)
    return convolution
