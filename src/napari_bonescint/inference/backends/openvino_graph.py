"""The networks as OpenVINO graphs, from their weights alone: without PyTorch, and for images of any size.

What `networks` defines is wired here once more, because the ways out of PyTorch want it loaded, take seconds and fix
the size of the image. Dilated nets are phase-split. Batch normalisation is folded into the convolution before it. That
both wirings are one function, tests show for each network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import openvino as ov
from openvino import opset1, opset13

from napari_bonescint.networks import widths

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BATCH_NORM_EPSILON = 1e-5


class WrongWeights(ValueError):
    """Weights that are not those of the architecture."""


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


_Wiring = Callable[[_Weights, "ov.Node", int], "ov.Node"]


def multiple_of(architecture: str) -> int | None:
    """What the sides of an image must divide by; None if the architecture is not wired here."""
    return _WIRINGS[architecture][0] if architecture in _WIRINGS else None


def build_graph(architecture: str, tensors: Mapping[str, NDArray[np.floating]], outputs: int) -> ov.Model:
    """Build a network.

    Parameters
    ----------
    architecture : str
        A name that `multiple_of` knows.
    tensors : mapping of str to ndarray
        The weights, named as PyTorch names them, in any precision.
    outputs : int
        Channels of the result.

    Returns
    -------
    openvino.Model
        From images (batch, 1, y, x) to logits (batch, outputs, y, x), all sizes open.

    Raises
    ------
    WrongWeights
        If the weights are not those of the architecture.
    """
    _, wiring = _WIRINGS[architecture]
    weights = _Weights(tensors)
    image = opset13.parameter([-1, 1, -1, -1], np.float32, name="image")
    logits = wiring(weights, image, outputs)
    weights.require_all_taken()
    return ov.Model([logits], [image], architecture)


def _fdn(
    stages: Sequence[Sequence[int]],
    weights: _Weights,
    x: ov.Node,
    outputs: int,
    *,
    activation: Callable[[ov.Node], ov.Node] = opset13.relu,
    batch_norm: bool = False,
) -> ov.Node:
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
            x = activation(_convolve(x, kernel, bias))
            channels = width
        before, after = ((0, 0), (1, 1)) if k == splits else ((1, 1), (0, 0))
        x = opset1.max_pool(x, (1, 1), before, after, (2, 2))
        if k < splits:
            x = _split_phases(x, channels)
    x = _head(weights, x, channels, outputs)
    for _ in range(splits):
        x = _join_phases(x, outputs)
    return x


def _dln(stages: Sequence[Sequence[int]], weights: _Weights, x: ov.Node, outputs: int) -> ov.Node:
    channels = 1
    for k, stage in enumerate(stages):
        for j, width in enumerate(stage):
            name = f"stages.{k}.{j}.0"
            kernel = weights.take(f"{name}.weight", width, channels, 3, 3)
            x = opset13.relu(_convolve(x, kernel, weights.take(f"{name}.bias", width)))
            channels = width
        x = _halve(x)
    narrowing = [stage[-1] for stage in reversed(stages)]
    for i, (wide, narrow) in enumerate(pairwise([*narrowing, narrowing[-1]])):
        x = opset13.relu(_enlarge(weights, f"up.{i}", x, wide, narrow, size=4))
        channels = narrow
    return _head(weights, x, channels, outputs)


def _u_net_block(weights: _Weights, name: str, x: ov.Node, inputs: int, width: int) -> ov.Node:
    for index, channels in ((0, inputs), (3, width)):
        kernel = weights.take(f"{name}.{index}.weight", width, channels, 3, 3)
        scale, shift = weights.scale_and_shift(f"{name}.{index + 1}", width)
        x = opset13.relu(_convolve(x, kernel * scale[:, None, None, None], shift))
    return x


def _uri_net_block(weights: _Weights, name: str, x: ov.Node, inputs: int, width: int) -> ov.Node:
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
            shortcut = _convolve(x, weights.take(f"{unit}.shortcut.weight", width, channels, 1, 1), None)
        together = _convolve(x, kernel * scale[:, None, None, None], shift)
        x = opset13.relu(opset13.add(together, shortcut))
    return x


def _u_net(
    levels: Sequence[int],
    weights: _Weights,
    x: ov.Node,
    outputs: int,
    *,
    block: Callable[[_Weights, str, ov.Node, int, int], ov.Node] = _u_net_block,
    step: int = 1,
) -> ov.Node:
    if step > 1:
        x = opset13.space_to_depth(x, "depth_first", step)
    channels, skips = step**2, []
    for level, width in enumerate(levels):
        x = block(weights, f"encoder.{level}", _halve(x) if level else x, channels, width)
        skips.append(x)
        channels = width
    skips.pop()
    for i, width in enumerate(reversed(levels[:-1])):
        larger = _enlarge(weights, f"up.{i}", x, channels, width, size=2)
        x = block(weights, f"decoder.{i}", opset13.concat([skips.pop(), larger], 1), 2 * width, width)
        channels = width
    x = _head(weights, x, channels, outputs * step**2)
    return opset13.depth_to_space(x, "depth_first", step) if step > 1 else x


def _convolve(x: ov.Node, kernel: NDArray[np.float32], bias: NDArray[np.float32] | None) -> ov.Node:
    """A convolution that keeps the image's size."""
    edge = kernel.shape[-1] // 2
    x = opset13.convolution(x, opset13.constant(kernel), (1, 1), (edge, edge), (edge, edge), (1, 1))
    return x if bias is None else opset13.add(x, opset13.constant(bias.reshape(1, -1, 1, 1)))


def _head(weights: _Weights, x: ov.Node, channels: int, outputs: int) -> ov.Node:
    return _convolve(x, weights.take("head.weight", outputs, channels, 1, 1), weights.take("head.bias", outputs))


def _enlarge(weights: _Weights, name: str, x: ov.Node, inputs: int, outputs: int, *, size: int) -> ov.Node:
    """A transposed convolution to twice the size."""
    kernel = opset13.constant(weights.take(f"{name}.weight", inputs, outputs, size, size))
    edge = (size - 2) // 2
    x = opset13.convolution_backprop_data(
        x, kernel, (2, 2), pads_begin=(edge, edge), pads_end=(edge, edge), dilations=(1, 1)
    )
    return opset13.add(x, opset13.constant(weights.take(f"{name}.bias", outputs).reshape(1, -1, 1, 1)))


def _split_phases(x: ov.Node, channels: int) -> ov.Node:
    """As `networks.fdn.split_phases`, in two operations that OpenVINO has fast kernels for, unlike space-to-batch."""
    x = opset13.space_to_depth(x, "blocks_first", 2)
    return opset13.reshape(x, np.array([-1, channels, 0, 0]), special_zero=True)


def _join_phases(x: ov.Node, channels: int) -> ov.Node:
    x = opset13.reshape(x, np.array([-1, 4 * channels, 0, 0]), special_zero=True)
    return opset13.depth_to_space(x, "blocks_first", 2)


def _halve(x: ov.Node) -> ov.Node:
    return opset1.max_pool(x, (2, 2), (0, 0), (0, 0), (2, 2))


def _fdn_family() -> dict[str, tuple[int, _Wiring]]:
    elu = partial(opset13.elu, alpha=1.0)
    variants: dict[str, Callable[..., ov.Node]] = {
        "": _fdn,
        "e": partial(_fdn, activation=elu),
        "be": partial(_fdn, activation=elu, batch_norm=True),
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
