"""Engines that `bonescint benchmark` measures beside ours, and that nothing else uses: none was faster."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_bonescint.inference.backends.engine import EngineUnavailable
from napari_bonescint.inference.backends.wiring import multiple_of, padded, wire
from napari_bonescint.inference.devices import usable_cores

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from napari_bonescint.inference.backends.engine import Engine
    from napari_bonescint.inference.backends.wiring import Activation
    from napari_bonescint.inference.model_card import ModelCard

_OPSET = 17


class OnnxRuntimeEngine:
    """A model in ONNX Runtime (MIT).

    Parameters
    ----------
    card : ModelCard
        Which model.

    Raises
    ------
    EngineUnavailable
        If onnx or onnxruntime is not installed, or the network is not wired.
    """

    name = "ONNX Runtime"

    def __init__(self, card: ModelCard) -> None:
        try:
            import onnxruntime
            from onnx import TensorProto, helper
        except ImportError as error:
            raise EngineUnavailable("needs `pip install onnx onnxruntime`") from error
        from safetensors.numpy import load

        multiple = multiple_of(card.architecture)
        if multiple is None:
            raise EngineUnavailable(f"does not know the network {card.architecture}")
        self._multiple = multiple
        nodes = _OnnxNodes()
        result = wire(card.architecture, load(card.read_weights()), card.outputs, nodes, "image")
        places = [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", channels, "y", "x"])
            for name, channels in (("image", 1), (result, card.outputs))
        ]
        graph = helper.make_graph(nodes.nodes, card.architecture, places[:1], places[1:], nodes.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=8)
        # Older builds for Windows report to the system's diagnostics, which `offline` does not reach.
        onnxruntime.disable_telemetry_events()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = usable_cores()
        self._session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )

    def logits(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Engine.logits`."""
        height, width = images.shape[1:]
        logits: NDArray[np.float32] = self._session.run(None, {"image": padded(images, self._multiple)})[0]
        return logits[..., :height, :width]


class TorchCompileEngine:
    """A model through torch.compile, which has a C++ compiler make code for it.

    Parameters
    ----------
    card : ModelCard
        Which model.

    Raises
    ------
    EngineUnavailable
        If there is no C++ compiler.
    ModelError
        If the weights are missing, damaged or not what the card says.
    """

    name = "torch.compile"

    def __init__(self, card: ModelCard) -> None:
        if not any(shutil.which(compiler) for compiler in (os.environ.get("CXX", "g++"), "clang++", "cl")):
            raise EngineUnavailable("needs a C++ compiler")
        import torch

        from napari_bonescint.inference.backends.torch_engine import load_network

        network = load_network(card)
        torch.nn.utils.convert_conv2d_weight_memory_format(network, torch.channels_last)
        self._network = torch.compile(network)

    def logits(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Engine.logits`."""
        import torch

        with torch.inference_mode():
            logits: NDArray[np.float32] = self._network(torch.from_numpy(images[:, None])).numpy()
            return logits


COMPARISONS: dict[str, Callable[[ModelCard], Engine]] = {
    OnnxRuntimeEngine.name: OnnxRuntimeEngine,
    TorchCompileEngine.name: TorchCompileEngine,
}


class _OnnxNodes:
    """See `wiring.Layers`; images go by their names and lie in batches (batch, channels, y, x)."""

    def __init__(self) -> None:
        from onnx import helper, numpy_helper

        self._make_node, self._from_array = helper.make_node, numpy_helper.from_array
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def convolve(
        self, x: str, kernel: NDArray[np.float32], bias: NDArray[np.float32] | None, activation: Activation | None
    ) -> str:
        inputs = [self._constant(values) for values in (kernel, bias) if values is not None]
        return self._activated(self._node("Conv", x, *inputs, pads=[kernel.shape[-1] // 2] * 4), activation)

    def enlarge(
        self, x: str, kernel: NDArray[np.float32], bias: NDArray[np.float32], activation: Activation | None
    ) -> str:
        inputs = [self._constant(values) for values in (kernel, bias)]
        edge = (kernel.shape[-1] - 2) // 2
        return self._activated(self._node("ConvTranspose", x, *inputs, strides=[2, 2], pads=[edge] * 4), activation)

    def add(self, one: str, other: str) -> str:
        return self._node("Relu", self._node("Add", one, other))

    def concatenate(self, one: str, other: str) -> str:
        return self._node("Concat", one, other, axis=1)

    def halve(self, x: str) -> str:
        return self._node("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])

    def pool(self, x: str, *, forward: bool) -> str:
        return self._node("MaxPool", x, kernel_shape=[2, 2], pads=[0, 0, 1, 1] if forward else [1, 1, 0, 0])

    def gather_cells(self, x: str, side: int) -> str:
        # ONNX has the pixels of a cell vary slowest, which is the same for the one channel of an image.
        return self._node("SpaceToDepth", x, blocksize=side)

    def spread_cells(self, x: str, side: int) -> str:
        return self._node("DepthToSpace", x, blocksize=side, mode="CRD")

    def split_phases(self, x: str, channels: int) -> str:
        return self._reshape(self._node("SpaceToDepth", x, blocksize=2), channels)

    def join_phases(self, x: str, channels: int) -> str:
        return self._node("DepthToSpace", self._reshape(x, 4 * channels), blocksize=2, mode="DCR")

    def _reshape(self, x: str, channels: int) -> str:
        return self._node("Reshape", x, self._constant(np.array([-1, channels, 0, 0])))

    def _activated(self, x: str, activation: Activation | None) -> str:
        return x if activation is None else self._node(activation.capitalize(), x)

    def _node(self, kind: str, *inputs: str, **attributes: Any) -> str:
        made = f"image{len(self.nodes)}"
        self.nodes.append(self._make_node(kind, inputs, [made], **attributes))
        return made

    def _constant(self, values: NDArray[np.generic]) -> str:
        name = f"constant{len(self.constants)}"
        self.constants.append(self._from_array(np.ascontiguousarray(values), name))
        return name
