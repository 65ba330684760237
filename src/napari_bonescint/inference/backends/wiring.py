"""How the layers of each network are connected, for engines that are no PyTorch, from the weights alone.

What `networks` defines is wired here once more, because the ways out of PyTorch want it loaded, take seconds and fix
the size of the image. Dilated nets are phase-split. Batch normalisation is folded into the convolution before it. That
both wirings are one function, tests show for each network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

import numpy as np

from napari_bonescint.networks import widths

if TYPE_CHECKING:
    from numpy.typing import NDArray

Activation = Literal["relu", "elu"]
X = TypeVar("X")

_BATCH_NORM_EPSILON = 1e-5


class WrongWeights(ValueError):
    """Weights that are not those of the architecture."""


class Layers(Protocol[X]):
    """The layers that an engine offers; X is what stands for an image (channels, y, x) between them."""

    def convolve(
        self, x: X, kernel: NDArray[np.float32], bias: NDArray[np.float32] | None, activation: Activation | None
    ) -> X:
        """A convolution that keeps the image's size; kernel (outputs, inputs, y, x)."""

    def enlarge(self, x: X, kernel: NDArray[np.float32], bias: NDArray[np.float32], activation: Activation | None) -> X:
        """A transposed convolution to twice the size; kernel (inputs, outputs, y, x)."""

    def add(self, one: X, other: X) -> X:
        """ReLU of the sum."""

    def concatenate(self, one: X, other: X) -> X:
        """The channels of both."""

    def halve(self, x: X) -> X:
        """The maximum of each two by two pixels."""

    def pool(self, x: X, *, forward: bool) -> X:
        """The maximum of each pixel and its three neighbours before or after it, at full size."""

    def gather_cells(self, x: X, side: int) -> X:
        """Each cell of side x side pixels becomes one of so many more channels; pixels vary fastest."""

    def spread_cells(self, x: X, side: int) -> X:
        """The inverse of `gather_cells`."""

    def split_phases(self, x: X, channels: int) -> X:
        """As `networks.fdn.split_phases`."""

    def join_phases(self, x: X, channels: int) -> X:
        """As `networks.fdn.join_phases`."""


def multiple_of(architecture: str) -> int | None:
    """What the sides of an image must divide by; None if the architecture is not wired here."""
    return _WIRINGS[architecture][0] if architecture in _WIRINGS else None


def wire(
    architecture: str, tensors: Mapping[str, NDArray[np.floating]], outputs: int, layers: Layers[X], image: X
) -> X:
    """Connect a network's layers.

    Parameters
    ----------
    architecture : str
        A name that `multiple_of` knows.
    tensors : mapping of str to ndarray
        The weights, named as PyTorch names them, in any precision.
    outputs : int
        Channels of the result.
    layers : Layers
        Those of an engine.
    image : X
        Of one channel, its sides divisible by `multiple_of`.

    Returns
    -------
    X
        The logits (outputs, y, x).

    Raises
    ------
    WrongWeights
        If the weights are not those of the architecture.
    """
    _, wiring = _WIRINGS[architecture]
    weights = _Weights(tensors)
    logits: X = wiring(layers, weights, image, outputs)
    weights.require_all_taken()
    return logits


def padded(images: NDArray[np.float32], multiple: int) -> NDArray[np.float32]:
    """Images (batch, y, x) as a network takes them: (batch, 1, y', x'), with zeros up to multiples of `multiple`."""
    height, width = images.shape[1:]
    beyond = ((0, 0), (0, -height % multiple), (0, -width % multiple))
    return np.ascontiguousarray(np.pad(images, beyond)[:, None])


class _Weights:
    """Tensors by name, each to be taken exactly once."""

    def __init__(self, tensors: Mapping[str, NDArray[np.floating]]) -> None:
        self._left = dict(tensors)

    def take(self, name: str, *shape: int) -> NDArray[np.float32]:
        tensor = self._left.pop(name, None)
        if tensor is None or tensor.shape != shape:
            raise WrongWeights(f"{name} of shape {shape} is missing")
        return tensor.astype(np.float32, copy=False)

    def scale_and_shift(self, name: str, channels: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """A batch normalisation as a factor and a summand of each channel."""
        self._left.pop(f"{name}.num_batches_tracked", None)
        weight, bias, mean, variance = (
            self.take(f"{name}.{part}", channels) for part in ("weight", "bias", "running_mean", "running_var")
        )
        scale = weight / np.sqrt(variance + np.float32(_BATCH_NORM_EPSILON))
        return scale, bias - mean * scale

    def require_all_taken(self) -> None:
        if self._left:
            raise WrongWeights(f"{min(self._left)} belongs to another network")


def _fdn(
    stages: Sequence[Sequence[int]],
    layers: Layers[X],
    weights: _Weights,
    x: X,
    outputs: int,
    *,
    activation: Activation = "relu",
    batch_norm: bool = False,
) -> X:
    channels, splits = 1, len(stages) - 1
    for k, stage in enumerate(stages):
        for j, width in enumerate(stage):
            name = f"stages.{k}.{j}"
            kernel, bias = (
                weights.take(f"{name}.0.weight", width, channels, 3, 3),
                weights.take(f"{name}.0.bias", width),
            )
            if batch_norm:
                scale, shift = weights.scale_and_shift(f"{name}.1", width)
                kernel, bias = kernel * scale[:, None, None, None], bias * scale + shift
            x = layers.convolve(x, kernel, bias, activation)
            channels = width
        x = layers.pool(x, forward=k == splits)
        if k < splits:
            x = layers.split_phases(x, channels)
    x = _head(layers, weights, x, channels, outputs)
    for _ in range(splits):
        x = layers.join_phases(x, outputs)
    return x


def _dln(stages: Sequence[Sequence[int]], layers: Layers[X], weights: _Weights, x: X, outputs: int) -> X:
    channels = 1
    for k, stage in enumerate(stages):
        for j, width in enumerate(stage):
            name = f"stages.{k}.{j}.0"
            kernel = weights.take(f"{name}.weight", width, channels, 3, 3)
            x = layers.convolve(x, kernel, weights.take(f"{name}.bias", width), "relu")
            channels = width
        x = layers.halve(x)
    narrowing = [stage[-1] for stage in reversed(stages)]
    for i, (wide, narrow) in enumerate(pairwise([*narrowing, narrowing[-1]])):
        x = _enlarge(layers, weights, f"up.{i}", x, wide, narrow, size=4, activation="relu")
        channels = narrow
    return _head(layers, weights, x, channels, outputs)


def _u_net_block(layers: Layers[X], weights: _Weights, name: str, x: X, inputs: int, width: int) -> X:
    for index, channels in ((0, inputs), (3, width)):
        kernel = weights.take(f"{name}.{index}.weight", width, channels, 3, 3)
        scale, shift = weights.scale_and_shift(f"{name}.{index + 1}", width)
        x = layers.convolve(x, kernel * scale[:, None, None, None], shift, "relu")
    return x


def _uri_net_block(layers: Layers[X], weights: _Weights, name: str, x: X, inputs: int, width: int) -> X:
    for unit, channels in ((f"{name}.0", inputs), (f"{name}.1", width)):
        largest = max(widths.URI_NET_PATHS)
        # Side by side, the paths are one convolution with the largest kernel, the smaller ones in its middle.
        kernel = np.zeros((width, channels, largest, largest), np.float32)
        start = 0
        for path, (size, part) in enumerate(widths.URI_NET_PATHS.items()):
            edge = (largest - size) // 2
            inner = slice(edge, edge + size)
            taken = weights.take(f"{unit}.paths.{path}.weight", width // part, channels, size, size)
            kernel[start : start + width // part, :, inner, inner] = taken
            start += width // part
        scale, shift = weights.scale_and_shift(f"{unit}.normalisation", width)
        shortcut = x
        if channels != width:
            shortcut = layers.convolve(x, weights.take(f"{unit}.shortcut.weight", width, channels, 1, 1), None, None)
        x = layers.add(layers.convolve(x, kernel * scale[:, None, None, None], shift, None), shortcut)
    return x


def _u_net(
    levels: Sequence[int],
    layers: Layers[X],
    weights: _Weights,
    x: X,
    outputs: int,
    *,
    block: Callable[[Layers[Any], _Weights, str, Any, int, int], Any] = _u_net_block,
    step: int = 1,
) -> X:
    if step > 1:
        x = layers.gather_cells(x, step)
    channels, skips = step**2, []
    for level, width in enumerate(levels):
        x = block(layers, weights, f"encoder.{level}", layers.halve(x) if level else x, channels, width)
        skips.append(x)
        channels = width
    skips.pop()
    for i, width in enumerate(reversed(levels[:-1])):
        larger = _enlarge(layers, weights, f"up.{i}", x, channels, width, size=2)
        x = block(layers, weights, f"decoder.{i}", layers.concatenate(skips.pop(), larger), 2 * width, width)
        channels = width
    x = _head(layers, weights, x, channels, outputs * step**2)
    return layers.spread_cells(x, step) if step > 1 else x


def _head(layers: Layers[X], weights: _Weights, x: X, channels: int, outputs: int) -> X:
    kernel = weights.take("head.weight", outputs, channels, 1, 1)
    return layers.convolve(x, kernel, weights.take("head.bias", outputs), None)


def _enlarge(
    layers: Layers[X],
    weights: _Weights,
    name: str,
    x: X,
    inputs: int,
    outputs: int,
    *,
    size: int,
    activation: Activation | None = None,
) -> X:
    kernel = weights.take(f"{name}.weight", inputs, outputs, size, size)
    return layers.enlarge(x, kernel, weights.take(f"{name}.bias", outputs), activation)


_Wiring = Callable[[Layers[Any], _Weights, Any, int], Any]


def _fdn_family() -> dict[str, tuple[int, _Wiring]]:
    variants: dict[str, Callable[..., Any]] = {
        "": _fdn,
        "e": partial(_fdn, activation="elu"),
        "be": partial(_fdn, activation="elu", batch_norm=True),
    }
    return {
        f"fdn-{number}{suffix}": (1 << (len(stages) - 1), partial(variant, stages))
        for number, stages in widths.FDN.items()
        for suffix, variant in variants.items()
    }


_WIRINGS: dict[str, tuple[int, _Wiring]] = {
    **_fdn_family(),
    "dln-11": (1 << len(widths.FDN[11]), partial(_dln, widths.FDN[11])),
    "u-net": (1 << (len(widths.U_NET) - 1), partial(_u_net, widths.U_NET)),
    "uri-net": (1 << (len(widths.URI_NET) - 1), partial(_u_net, widths.URI_NET, block=_uri_net_block)),
    "phase-u-net": (2 << (len(widths.PHASE_U_NET) - 1), partial(_u_net, widths.PHASE_U_NET, step=2)),
}
"""By architecture: what the image's sides must divide by, and how its layers are connected."""
