"""OpenVINO (Apache-2.0): for CPUs, without PyTorch; in float32 or in eight-bit integers.

What it compiled is kept on disk (`compiled_cache`) under a key of all that it was made from.
"""

from __future__ import annotations

import hashlib
import io
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from napari_bonescint import __version__
from napari_bonescint.inference.backends import compiled_cache, wiring
from napari_bonescint.inference.backends.engine import EngineUnavailable, not_loaded, other_weights
from napari_bonescint.inference.backends.wiring import padded
from napari_bonescint.inference.devices import usable_cores
from napari_bonescint.networks import widths

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    import numpy as np
    import openvino
    from numpy.typing import NDArray

    from napari_bonescint.inference.model_card import ModelCard


class OpenVinoEngine:
    """A model in OpenVINO, in float32.

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
        self._compiled, self._multiple = _compile(card, None)

    def logits(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Engine.logits`."""
        height, width = images.shape[1:]
        logits: NDArray[np.float32] = self._compiled([padded(images, self._multiple)])[0]
        return logits[..., :height, :width]


class OpenVinoInt8Engine(OpenVinoEngine):
    """A model in OpenVINO, in eight-bit integers.

    Parameters
    ----------
    card : ModelCard
        Which model.

    Raises
    ------
    EngineUnavailable
        As for `OpenVinoEngine`, and if the model was not calibrated for it.
    ModelError
        As for `OpenVinoEngine`.
    """

    name = "openvino-int8"

    def __init__(self, card: ModelCard) -> None:
        if card.int8 is None:
            raise EngineUnavailable(f"{card.name} is not calibrated for int8")
        self._compiled, self._multiple = _compile(card, card.int8.ranges)


def _compile(card: ModelCard, ranges: Sequence[tuple[float, float]] | None) -> tuple[openvino.CompiledModel, int]:
    """A model, compiled or found compiled, and what the sides of an image must divide by."""
    try:
        import openvino as ov
        from openvino.properties import hint, inference_num_threads

        from napari_bonescint.inference.backends import openvino_core, openvino_graph, openvino_int8
    except ImportError as error:
        raise not_loaded("OpenVINO", "openvino", error) from error
    from safetensors import SafetensorError
    from safetensors.numpy import load

    multiple = wiring.multiple_of(card.architecture)
    if multiple is None:
        raise EngineUnavailable(f"OpenVINO does not know the network {card.architecture}")
    weights = card.read_weights()
    settings = {
        # Left to itself, it would take bfloat16 where the CPU has it.
        hint.inference_precision(): ov.Type.f32,
        hint.performance_mode(): hint.PerformanceMode.LATENCY,
        # Threads bound to cores would all be bound to the same ones in several processes.
        hint.enable_cpu_pinning(): False,
        inference_num_threads(): usable_cores(),
    }
    try:
        core = openvino_core.core()
        key = compiled_cache.key_of(
            weights=card.weights_sha256,
            network=(card.architecture, card.outputs),
            ranges=ranges,
            settings={str(name): str(value) for name, value in settings.items()},
            plugin=__version__,
            # While it is being developed, its version stays as it is.
            wiring=[_hash(module) for module in (wiring, openvino_graph, openvino_int8, widths)],
            openvino=ov.get_version(),
            cpu=[core.get_property("CPU", name) for name in ("FULL_DEVICE_NAME", "OPTIMIZATION_CAPABILITIES")],
        )
        if (kept := compiled_cache.find(key)) is not None:
            with suppress(RuntimeError):  # one that OpenVINO itself does not want any more is made anew
                return core.import_model(kept, "CPU", settings), multiple
        model = openvino_graph.build_graph(card.architecture, load(weights), card.outputs)
        if ranges is not None:
            openvino_int8.quantise(model, ranges)
        compiled = core.compile_model(model, "CPU", settings)
        blob = io.BytesIO()
        compiled.export_model(blob)
        compiled_cache.keep(key, blob.getvalue())
    except (SafetensorError, wiring.WrongWeights) as error:
        raise other_weights(card) from error
    except openvino_int8.WrongRanges as error:
        raise EngineUnavailable(f"{card.name} is calibrated for another network ({error})") from error
    except RuntimeError as error:
        raise EngineUnavailable(f"OpenVINO cannot be used ({str(error).partition(chr(10))[0]})") from error
    return compiled, multiple


def _hash(module: ModuleType) -> str:
    return hashlib.sha256(Path(str(module.__file__)).read_bytes()).hexdigest()
