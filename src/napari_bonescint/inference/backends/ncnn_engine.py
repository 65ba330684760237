"""ncnn (BSD-3-Clause): for CPUs, without PyTorch, in float32.

It computes 3x3 convolutions by Winograd's method, with fewer multiplications than their definition has, and so leaves
every engine behind that does all of them. There is nothing to compile.
"""

from __future__ import annotations

import ctypes
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_bonescint.inference.backends.engine import EngineUnavailable, not_loaded, other_weights
from napari_bonescint.inference.backends.ncnn_graph import IMAGE, build_stretches
from napari_bonescint.inference.backends.wiring import WrongWeights, multiple_of, padded
from napari_bonescint.inference.devices import usable_cores

if TYPE_CHECKING:
    import ncnn
    from numpy.typing import NDArray

    from napari_bonescint.inference.backends.ncnn_graph import Stretch
    from napari_bonescint.inference.model_card import ModelCard

_PHASES = ((0, 0), (0, 1), (1, 0), (1, 1))
_VIEWS = 2


class NcnnEngine:
    """A model in ncnn, in float32.

    Parameters
    ----------
    card : ModelCard
        Which model.

    Raises
    ------
    EngineUnavailable
        If ncnn is not installed, does not work here, or does not know the network.
    ModelError
        If the weights are missing, damaged or not what the card says.
    """

    name = "ncnn"

    def __init__(self, card: ModelCard) -> None:
        try:
            import ncnn  # noqa: F401
        except ImportError as error:
            raise not_loaded("ncnn", "ncnn", error) from error
        from safetensors import SafetensorError
        from safetensors.numpy import load

        multiple = multiple_of(card.architecture)
        if multiple is None:
            raise EngineUnavailable(f"ncnn does not know the network {card.architecture}")
        self._multiple = multiple
        try:
            stretches = build_stretches(card.architecture, load(card.read_weights()), card.outputs)
        except (SafetensorError, WrongWeights) as error:
            raise other_weights(card) from error
        # Phases are computed side by side, and without them, views; only cores beyond that share the work on one.
        self._side_by_side = min(usable_cores(), len(_PHASES) if len(stretches) > 1 else _VIEWS)
        threads = usable_cores() // self._side_by_side
        self._stretches = [(_load(stretch, threads), stretch.result) for stretch in stretches]

    def logits(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Engine.logits`."""
        height, width = images.shape[1:]
        whole = padded(images, self._multiple)
        with ThreadPoolExecutor(self._side_by_side) as pool:  # ncnn lets go of Python's lock
            if len(self._stretches) == 1:
                computed = list(pool.map(partial(self._compute, 0), whole))
            else:
                computed = [self._compute(0, image, pool) for image in whole]
        return np.stack(computed)[..., :height, :width]

    def _compute(
        self, index: int, image: NDArray[np.float32], pool: ThreadPoolExecutor | None = None
    ) -> NDArray[np.float32]:
        """Take an image (channels, y, x) through a stretch and all after it."""
        import ncnn

        net, result = self._stretches[index]
        extractor = net.create_extractor()
        extractor.input(IMAGE, ncnn.Mat(image))
        status, made = extractor.extract(result)
        if status != 0:
            raise MemoryError(f"ncnn could not compute {image.shape}")
        computed: NDArray[np.float32] = np.asarray(made)
        if index == len(self._stretches) - 1:
            return computed.copy()
        phases = (np.ascontiguousarray(computed[:, y::2, x::2]) for y, x in _PHASES)
        parts = list((map if pool is None else pool.map)(partial(self._compute, index + 1), phases))
        joined = np.empty((len(parts[0]), *computed.shape[1:]), np.float32)
        for (y, x), part in zip(_PHASES, parts, strict=True):
            joined[:, y::2, x::2] = part
        return joined


def _load(stretch: Stretch, threads: int) -> ncnn.Net:
    import ncnn

    class Reader(ncnn.DataReader):  # type: ignore[misc]
        """Hands over bytes; what ncnn reads from memory by itself, it goes on pointing into."""

        def __init__(self, data: bytes) -> None:
            super().__init__()
            self._data, self._at = data, 0

        def read(self, target: Any, size: int) -> int:
            part = self._data[self._at : self._at + size]
            ctypes.memmove(_address(target, None), part, len(part))
            self._at += len(part)
            return len(part)

    net = ncnn.Net()
    net.opt.num_threads = threads
    # Left to itself, it would compute in half precision where the CPU has it.
    net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
    net.opt.use_bf16_packed = net.opt.use_bf16_storage = False
    if net.load_param_mem(stretch.text()) != 0 or net.load_model(Reader(stretch.weights())) != 0:
        raise EngineUnavailable("ncnn cannot be used (it refuses the network)")
    return net


_address = ctypes.pythonapi.PyCapsule_GetPointer
_address.restype, _address.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
