"""Engines that only `bonescint benchmark` uses, for comparison; none of them was faster."""

from __future__ import annotations

import io
import os
import shutil
import warnings
from typing import TYPE_CHECKING

from napari_bonescint.inference.backends.engine import EngineUnavailable
from napari_bonescint.inference.devices import usable_cores

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from napari_bonescint.inference.backends.engine import Engine
    from napari_bonescint.inference.model_card import ModelCard

_OPSET = 17


class OnnxRuntimeEngine:
    """A model in ONNX Runtime (licence MIT).

    Raises
    ------
    EngineUnavailable
        If onnx or onnxruntime is not installed.
    ModelError
        If the weights are missing, damaged or do not fit the card.
    """

    name = "ONNX Runtime"

    def __init__(self, card: ModelCard) -> None:
        try:
            import onnx  # noqa: F401
            import onnxruntime
        except ImportError as error:
            raise EngineUnavailable("needs `pip install onnx onnxruntime`") from error
        import torch

        from napari_bonescint.inference.backends.torch_engine import load_network

        network = load_network(card)
        image, sizes = torch.zeros(1, 1, 2 * network.multiple, 2 * network.multiple), {0: "batch", 2: "y", 3: "x"}
        exported = io.BytesIO()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # PyTorch recommends a newer method, which is slower and fixes the size
            torch.onnx.export(
                network,
                (image,),
                exported,  # type: ignore[arg-type]  # takes streams, too
                dynamo=False,
                opset_version=_OPSET,
                input_names=["image"],
                dynamic_axes={"image": sizes},
            )
        # Older builds for Windows report to the system's diagnostics, which `offline` does not reach.
        onnxruntime.disable_telemetry_events()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = usable_cores()
        self._session = onnxruntime.InferenceSession(exported.getvalue(), options, providers=["CPUExecutionProvider"])

    def logits(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Engine.logits`."""
        logits: NDArray[np.float32] = self._session.run(None, {"image": images[:, None]})[0]
        return logits


class TorchCompileEngine:
    """A model compiled by torch.compile and a C++ compiler.

    Raises
    ------
    EngineUnavailable
        If there is no C++ compiler.
    ModelError
        If the weights are missing, damaged or do not fit the card.
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
