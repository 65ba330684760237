"""Which engine computes a model: the fastest one that can."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_bonescint.inference.backends.engine import Engine, EngineUnavailable, require_known
from napari_bonescint.inference.backends.ncnn_engine import NcnnEngine
from napari_bonescint.inference.backends.openvino_engine import OpenVinoEngine, OpenVinoInt8Engine
from napari_bonescint.inference.backends.torch_engine import TorchEngine
from napari_bonescint.inference.backends.torch_gpu_engine import TorchGpuEngine

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_bonescint.inference.model_card import ModelCard

CPU_ENGINES: dict[str, Callable[[ModelCard], Engine]] = {
    OpenVinoInt8Engine.name: OpenVinoInt8Engine,
    NcnnEngine.name: NcnnEngine,
    OpenVinoEngine.name: OpenVinoEngine,
    TorchEngine.name: TorchEngine,
}
"""Engines for the CPU, the fastest first for dilated nets; the last one computes every model."""

_FASTER_IN_OPENVINO = {"u-net", "uri-net", "fdn-16", "fdn-16e", "fdn-16be"}
"""Wide networks, for which ncnn falls behind on their own grid, by docs/speed.md."""


def load_on_cpu(card: ModelCard) -> tuple[Engine, tuple[str, ...]]:
    """Load a model into the fastest engine that can compute it well enough.

    Returns
    -------
    engine : Engine
    reasons : tuple of str
        Why not a faster one: a clause for each, such as ``OpenVINO is not installed``.

    Raises
    ------
    ModelError
        If the model is unknown, or its weights are missing, damaged or not what the card says.
    """
    require_known(card)
    *faster, last = _in_order(card)
    reasons: list[str] = []
    for name in faster:
        try:
            return CPU_ENGINES[name](card), tuple(reasons)
        except EngineUnavailable as error:
            if (reason := str(error)) not in reasons:
                reasons.append(reason)
    return CPU_ENGINES[last](card), tuple(reasons)


def _in_order(card: ModelCard) -> list[str]:
    """Engines that may compute a model, the fastest first."""
    names = [name for name in CPU_ENGINES if card.supports_int8 or name != OpenVinoInt8Engine.name]
    if card.architecture in _FASTER_IN_OPENVINO:
        names.remove(NcnnEngine.name)
        names.insert(-1, NcnnEngine.name)
    return names


def load_on_gpu(card: ModelCard, device: str) -> Engine:
    """Load a model onto a CUDA device.

    Raises
    ------
    ModelError
        As `load_on_cpu`.
    RuntimeError
        If the device is full.
    """
    require_known(card)
    return TorchGpuEngine(card, device)
