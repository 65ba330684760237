"""OpenVINO (Apache-2.0): for CPUs, in float32, without PyTorch.

Building and compiling a graph takes a fraction of a second, so compiled models are not kept on disk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.inference.backends.engine import EngineUnavailable, other_weights
from napari_bonescint.inference.devices import usable_cores

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_bonescint.inference.model_card import ModelCard


class OpenVinoEngine:
    """A model in OpenVINO.

    Parameters
    ----------
    card : ModelCard
        Which model.

    Raises
    ------
    EngineUnavailable
        If OpenVINO is not installed, does not work here, or does not know the network.
    ModelError
        If the weights are missing, damaged or not what the card says.
    """

    name = "openvino"

    def __init__(self, card: ModelCard) -> None:
        try:
            import openvino as ov
            from openvino.properties import hint, inference_num_threads

            from napari_bonescint.inference.backends.openvino_graph import WrongWeights, build_graph
        except ImportError as error:
            missing = isinstance(error, ModuleNotFoundError) and error.name == "openvino"
            why = "is not installed" if missing else f"cannot be loaded ({error})"
            raise EngineUnavailable(f"OpenVINO {why}") from error
        from safetensors import SafetensorError
        from safetensors.numpy import load

        try:
            graph = build_graph(card.architecture, load(card.read_weights()), card.outputs)
        except (SafetensorError, WrongWeights) as error:
            raise other_weights(card) from error
        if graph is None:
            raise EngineUnavailable(f"OpenVINO does not know the network {card.architecture}")
        self._multiple = graph.multiple
        settings = {
            # Left to itself, it would take bfloat16 where the CPU has it.
            hint.inference_precision(): ov.Type.f32,
            hint.performance_mode(): hint.PerformanceMode.LATENCY,
            # Threads bound to cores would all be bound to the same ones in several processes.
            hint.enable_cpu_pinning(): False,
            inference_num_threads(): usable_cores(),
        }
        try:
            self._compiled = ov.Core().compile_model(graph.model, "CPU", settings)
        except RuntimeError as error:
            raise EngineUnavailable(f"OpenVINO cannot be used ({str(error).partition(chr(10))[0]})") from error

    def logits(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Engine.logits`."""
        height, width = images.shape[1:]
        beyond = ((0, 0), (0, -height % self._multiple), (0, -width % self._multiple))
        padded = np.ascontiguousarray(np.pad(images, beyond)[:, None])
        logits: NDArray[np.float32] = self._compiled([padded])[0]
        return logits[..., :height, :width]
