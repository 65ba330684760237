"""OpenVINO (Apache-2.0): for CPUs; in float32 or in eight-bit integers.

A network is converted from PyTorch and compiled once. The result is kept on disk (`compiled_cache`) under a key of all
that it was made from, so that later loading needs no PyTorch and takes no time.
"""

from __future__ import annotations

import hashlib
import io
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from napari_bonescint import __version__
from napari_bonescint.inference.backends import compiled_cache
from napari_bonescint.inference.backends.engine import EngineUnavailable, not_loaded
from napari_bonescint.inference.devices import usable_cores

if TYPE_CHECKING:
    from collections.abc import Sequence

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
        If OpenVINO is not installed, does not work here, or cannot convert the network.
    ModelError
        If the weights are missing, damaged or not what the card says.
    """

    name = "openvino"

    def __init__(self, card: ModelCard) -> None:
        self._compiled = _compile(card, None)

    def logits(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Engine.logits`."""
        logits: NDArray[np.float32] = self._compiled([images[:, None]])[0]
        return logits


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
        self._compiled = _compile(card, card.int8.ranges)


def _compile(card: ModelCard, ranges: Sequence[tuple[float, float]] | None) -> openvino.CompiledModel:
    """A model, compiled or found compiled."""
    try:
        import openvino as ov
        from openvino.properties import hint, inference_num_threads

        from napari_bonescint.inference.backends import openvino_core, openvino_graph, openvino_int8
    except ImportError as error:
        raise not_loaded("OpenVINO", "openvino", error) from error

    card.read_weights()  # which sees whether they are what the card says, also where they are not needed any more
    settings = {
        # Left to itself, it would take bfloat16 where the CPU has it.
        hint.inference_precision(): ov.Type.f32,
        hint.performance_mode(): hint.PerformanceMode.LATENCY,
        # Threads bound to cores would all be bound to the same ones in several processes.
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
            with suppress(RuntimeError):  # one that OpenVINO itself does not want any more is made anew
                return core.import_model(kept, "CPU", settings | threads)
        model = openvino_graph.convert(card)
        if ranges is not None:
            openvino_int8.quantise(model, ranges)
        blob = io.BytesIO()
        core.compile_model(model, "CPU", settings).export_model(blob)
        compiled_cache.keep(key, blob.getvalue())
        # Not the one just compiled, whose constants may still lie in PyTorch's memory.
        return core.import_model(blob.getvalue(), "CPU", settings | threads)
    except openvino_int8.WrongRanges as error:
        raise EngineUnavailable(f"{card.name} is calibrated for another network ({error})") from error
    except RuntimeError as error:
        raise EngineUnavailable(f"OpenVINO cannot be used ({str(error).partition(chr(10))[0]})") from error


def _hash_of_sources() -> str:
    """Of what a network is made by: while this package is being developed, its version stays as it is."""
    here = Path(__file__).parent
    paths = [*here.glob("openvino_*.py"), *(here.parents[1] / "networks").glob("*.py")]
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(paths))).hexdigest()
