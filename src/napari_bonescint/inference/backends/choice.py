"""Choose the fastest engine that can compute a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_bonescint.inference.backends.engine import Engine, EngineUnavailable, require_known
from napari_bonescint.inference.backends.openvino_engine import OpenVinoEngine, OpenVinoInt8Engine
from napari_bonescint.inference.backends.torch_engine import TorchEngine
from napari_bonescint.inference.backends.torch_gpu_engine import TorchGpuEngine

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_bonescint.inference.model_card import ModelCard

CPU_ENGINES: dict[str, Callable[[ModelCard], Engine]] = {
    OpenVinoInt8Engine.name: OpenVinoInt8Engine,
    OpenVinoEngine.name: OpenVinoEngine,
    TorchEngine.name: TorchEngine,
}
"""Engines for the CPU, the fastest first; the last one computes every model."""


def load_on_cpu(card: ModelCard) -> tuple[Engine, tuple[str, ...]]:
    """Load a model into the fastest engine that can compute it accurately.

    Returns
    -------
    engine : Engine
    reasons : tuple of str
        The reason against each faster engine, as a clause such as ``OpenVINO is not installed``.

    Raises
    ------
    ModelError
        If the model is unknown, or its weights are missing, damaged or do not fit the card.
    """
    require_known(card)
    *faster, last = (name for name in CPU_ENGINES if card.supports_int8 or name != OpenVinoInt8Engine.name)
    reasons: list[str] = []
    for name in faster:
        try:
            return CPU_ENGINES[name](card), tuple(reasons)
        except EngineUnavailable as error:
            if (reason := str(error)) not in reasons:
                reasons.append(reason)
    return CPU_ENGINES[last](card), tuple(reasons)


def load_on_gpu(card: ModelCard, device: str) -> Engine:
    """Load a model onto a CUDA device.

    Raises
    ------
    ModelError
        As `load_on_cpu`.
    RuntimeError
        If the device has too little free memory.
    """
    require_known(card)
    return TorchGpuEngine(card, device)
