"""The networks as OpenVINO graphs, for images of any size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import openvino as ov
from openvino import opset1, opset13

from napari_bonescint.inference.backends.wiring import wire

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from napari_bonescint.inference.backends.wiring import Activation


def build_graph(architecture: str, tensors: Mapping[str, NDArray[np.floating]], outputs: int) -> ov.Model:
    """Build a network.

    Parameters
    ----------
    architecture : str
        A name that `wiring.multiple_of` knows.
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
    image = opset13.parameter([-1, 1, -1, -1], np.float32, name="image")
    return ov.Model([wire(architecture, tensors, outputs, _Nodes(), image)], [image], architecture)


class _Nodes:
    """See `wiring.Layers`; images lie in batches (batch, channels, y, x)."""

    def convolve(
        self,
        x: ov.Node,
        kernel: NDArray[np.float32],
        bias: NDArray[np.float32] | None,
        activation: Activation | None,
    ) -> ov.Node:
        edge = kernel.shape[-1] // 2
        x = opset13.convolution(x, opset13.constant(kernel), (1, 1), (edge, edge), (edge, edge), (1, 1))
        return _activated(x, bias, activation)

    def enlarge(
        self, x: ov.Node, kernel: NDArray[np.float32], bias: NDArray[np.float32], activation: Activation | None
    ) -> ov.Node:
        edge = (kernel.shape[-1] - 2) // 2
        x = opset13.convolution_backprop_data(
            x, opset13.constant(kernel), (2, 2), pads_begin=(edge, edge), pads_end=(edge, edge), dilations=(1, 1)
        )
        return _activated(x, bias, activation)

    def add(self, one: ov.Node, other: ov.Node) -> ov.Node:
        return opset13.relu(opset13.add(one, other))

    def concatenate(self, one: ov.Node, other: ov.Node) -> ov.Node:
        return opset13.concat([one, other], 1)

    def halve(self, x: ov.Node) -> ov.Node:
        return opset1.max_pool(x, (2, 2), (0, 0), (0, 0), (2, 2))

    def pool(self, x: ov.Node, *, forward: bool) -> ov.Node:
        before, after = ((0, 0), (1, 1)) if forward else ((1, 1), (0, 0))
        return opset1.max_pool(x, (1, 1), before, after, (2, 2))

    def gather_cells(self, x: ov.Node, side: int) -> ov.Node:
        return opset13.space_to_depth(x, "depth_first", side)

    def spread_cells(self, x: ov.Node, side: int) -> ov.Node:
        return opset13.depth_to_space(x, "depth_first", side)

    def split_phases(self, x: ov.Node, channels: int) -> ov.Node:
        # Two operations that OpenVINO has fast kernels for, unlike space-to-batch.
        x = opset13.space_to_depth(x, "blocks_first", 2)
        return opset13.reshape(x, np.array([-1, channels, 0, 0]), special_zero=True)

    def join_phases(self, x: ov.Node, channels: int) -> ov.Node:
        x = opset13.reshape(x, np.array([-1, 4 * channels, 0, 0]), special_zero=True)
        return opset13.depth_to_space(x, "blocks_first", 2)


def _activated(x: ov.Node, bias: NDArray[np.float32] | None, activation: Activation | None) -> ov.Node:
    if bias is not None:
        x = opset13.add(x, opset13.constant(bias.reshape(1, -1, 1, 1)))
    if activation is None:
        return x
    return opset13.relu(x) if activation == "relu" else opset13.elu(x, alpha=1.0)
