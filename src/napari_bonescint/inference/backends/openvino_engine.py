"""The OpenVINO engines for CPUs, in float32 and in eight-bit integers. OpenVINO's licence is Apache-2.0.

A network is converted from PyTorch and compiled once. The result is cached on disk (`compiled_cache`), so later loading
is fast and needs no PyTorch. The cache's key contains everything that the result depends on.
"""

from __future__ import annotations

import hashlib
import io
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from napari_bonescint import __version__
from napari_bonescint.inference.backends import compiled_cache
from napari_bonescint.inference.backends.engine import EngineUnavailable, not_loaded, with_channels
from napari_bonescint.inference.devices import usable_cores

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import openvino
    from numpy.typing import NDArray

    from napari_bonescint.inference.model_card import ModelCard


class OpenVinoEngine:
    """A model in OpenVINO, in float32.

    Raises
    ------
    EngineUnavailable
        If OpenVINO is not installed, does not work, or cannot convert the network.
    ModelError
        If the weights are missing, damaged or do not fit the card.
    """

    name = "openvino"

    def __init__(self, card: ModelCard) -> None:
        self._compiled = _compile(card, None)

    def logits(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Engine.logits`."""
        logits: NDArray[np.float32] = self._compiled([with_channels(images)])[0]
        return logits


class OpenVinoInt8Engine(OpenVinoEngine):
    """A model in OpenVINO, in eight-bit integers.

    Raises
    ------
    EngineUnavailable
        As for `OpenVinoEngine`, and if the model is not calibrated.
    ModelError
        As for `OpenVinoEngine`.
    """

    name = "openvino-int8"

    def __init__(self, card: ModelCard) -> None:
        if card.int8 is None:
            raise EngineUnavailable(f"{card.name} is not calibrated for int8")
        self._compiled = _compile(card, card.int8.ranges)


def _compile(card: ModelCard, ranges: Sequence[tuple[float, float]] | None) -> openvino.CompiledModel:
    """Compile a model, or load it from the cache."""
    try:
        import openvino as ov
        from openvino.properties import hint, inference_num_threads

        from napari_bonescint.inference.backends import openvino_core, openvino_graph, openvino_int8
    except ImportError as error:
        raise not_loaded("OpenVINO", "openvino", error) from error

    card.read_weights()  # checks the weights, even if the cached model does not need them
    settings = {
        # By default, OpenVINO uses bfloat16 if the CPU supports it.
        hint.inference_precision(): ov.Type.f32,
        hint.performance_mode(): hint.PerformanceMode.LATENCY,
        # Pinned threads of several processes would share the same cores.
        hint.enable_cpu_pinning(): False,
    }
    threads = {inference_num_threads(): usable_cores()}
    try:
        core = openvino_core.core()
        key = compiled_cache.key_of(
            weights=card.weights_sha256,
            network=(card.architecture, card.outputs),
            ranges=ranges,
            settings={str(name): str(value) for name, value in settings.items()},
            plugin=__version__,
            sources=_hash_of_sources(),
            openvino=ov.get_version(),
            cpu=[core.get_property("CPU", name) for name in ("FULL_DEVICE_NAME", "OPTIMIZATION_CAPABILITIES")],
        )
        if (kept := compiled_cache.find(key)) is not None:
            with suppress(RuntimeError):  # a model that OpenVINO refuses is compiled again
                return core.import_model(kept, "CPU", settings | threads)
        model = openvino_graph.convert(card)
        if ranges is not None:
            openvino_int8.quantise(model, ranges)
        blob = io.BytesIO()
        core.compile_model(model, "CPU", settings).export_model(blob)
        compiled_cache.keep(key, blob.getvalue())
        # The constants of the model just compiled may still be in PyTorch's memory.
        return core.import_model(blob.getvalue(), "CPU", settings | threads)
    except openvino_int8.WrongRanges as error:
        raise EngineUnavailable(f"{card.name} is calibrated for another network ({error})") from error
    except RuntimeError as error:
        raise EngineUnavailable(f"OpenVINO cannot be used ({str(error).partition(chr(10))[0]})") from error


def _hash_of_sources() -> str:
    """Hash of the source files that make a network, since the version does not change during development."""
    here = Path(__file__).parent
    paths = [*here.glob("openvino_*.py"), *(here.parents[1] / "networks").glob("*.py")]
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(paths))).hexdigest()
