"""The PyTorch engine for GPUs: half precision if it loses no Dice, and recorded CUDA graphs.

A pass over a scan has about forty small steps; starting each from Python takes longer than its computation. When an
image size occurs for the second time, the steps are recorded as one graph, which is replayed afterwards.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from napari_bonescint.inference.backends.engine import with_channels
from napari_bonescint.inference.backends.torch_engine import load_network

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    import torch
    from numpy.typing import NDArray

    from napari_bonescint.inference.model_card import ModelCard
    from napari_bonescint.networks.dense import DenseNetwork
    from napari_bonescint.networks.fdn import Computation

Precision = Literal["float32", "float16", "bfloat16"]

HALF: Precision = "float16"
"""The half precision with the finer steps: activations of these networks stay below a hundredth of its range."""

# More than the number of image sizes of one grid; recording is slow.
_MOST_GRAPHS = 32
_TIMED_PASSES = 3


@dataclass
class _Recorded:
    """A recorded pass over images of one size."""

    graph: torch.cuda.CUDAGraph
    images: torch.Tensor
    logits: torch.Tensor


class _Shared(NamedTuple):
    """Memory pool and stream of all recorded passes, which run one after the other."""

    pool: Any  # its type is private
    stream: torch.cuda.Stream


class TorchGpuEngine:
    """A model in PyTorch on a CUDA device.

    Parameters
    ----------
    card : ModelCard
        The model.
    device : str
        ``cuda:N``, or ``cpu`` without graphs, for tests.
    precision : {"float32", "float16", "bfloat16"} or None
        Precision of convolutions. None: half precision if the card's measurement allows it and the device has tensor
        cores; otherwise float32, never TensorFloat-32.
    form : {"dilated", "phase-split"} or None
        Form of computation of a dilated net; None for the faster one with the first images.

    Attributes
    ----------
    name : str
        ``torch``, or such as ``torch-float16``.
    device : str
    precision : str
        Precision of convolutions; changes to float32 permanently after an overflow.
    form : {"dilated", "phase-split"} or None
        Form of a dilated net; None before it is chosen, and for other nets.
    graphs_refused : str or None
        Reason why passes are not recorded; set it to prevent recording.

    Raises
    ------
    ModelError
        If the weights are missing, damaged or do not fit the card.
    RuntimeError
        If the device has too little free memory.
    """

    def __init__(
        self, card: ModelCard, device: str, precision: Precision | None = None, form: Computation | None = None
    ) -> None:
        import torch

        self._card = card
        self.device = device
        self._device = torch.device(device)
        self._recorded: OrderedDict[tuple[int, ...], _Recorded] = OrderedDict()
        self._seen: set[tuple[int, ...]] = set()
        self._shared: _Shared | None = None
        self.form = form
        self.graphs_refused: str | None = None if self._device.type == "cuda" else "not on a CUDA device"
        if precision is None:
            precision = HALF if card.supports_half and _has_tensor_cores(self._device) else "float32"
        self._load(precision)

    def logits(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Engine.logits`."""
        import torch

        logits = self.compute(torch.from_numpy(with_channels(images)).to(self._device))
        # No measured scan overflows, but GeForce 16 cards are known to compute NaN in half precision.
        if self.precision != "float32" and not bool(torch.isfinite(logits).all()):
            self._load("float32")
            logits = self.compute(torch.from_numpy(with_channels(images)).to(self._device))
        return logits.float().cpu().numpy()

    def compute(self, images: torch.Tensor) -> torch.Tensor:
        """Compute logits of images on the device, without waiting for the result.

        Parameters
        ----------
        images : Tensor of shape (batch, 1, y, x)

        Returns
        -------
        Tensor of shape (batch, outputs, y, x)
            Overwritten by the next call.
        """
        import torch

        with torch.inference_mode(), without_tf32():
            images = images.to(self._type)
            self._choose_form(images)
            shape = tuple(images.shape)
            if shape in self._recorded:
                self._recorded.move_to_end(shape)
            # A size is recorded at its second use; the first use also prepares the libraries.
            elif shape not in self._seen or self.graphs_refused is not None or not self._record(images):
                self._seen.add(shape)
                return self._run(images)
            recorded = self._recorded[shape]
            recorded.images.copy_(images)
            recorded.graph.replay()
            return recorded.logits

    def _load(self, precision: Precision) -> None:
        import torch
        from torch import nn

        from napari_bonescint.networks.fdn import FDN

        network = load_network(self._card)
        self.precision: Precision = precision
        self.name = "torch" if precision == "float32" else f"torch-{precision}"
        self._type: torch.dtype = getattr(torch, precision)
        for module in network.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                # Normalisation layers keep and use float32 statistics with any input.
                module.to(dtype=self._type)
        nn.utils.convert_conv2d_weight_memory_format(network, torch.channels_last)
        self._network: DenseNetwork = network.to(self._device)
        self._recorded.clear()
        self._seen.clear()
        self._shared = None
        if self.form is not None and isinstance(network, FDN):
            network.computation = self.form

    def _run(self, images: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self._network(images)
        return logits

    def _choose_form(self, images: torch.Tensor) -> None:
        """Choose the faster of the two equivalent forms of a dilated net."""
        from napari_bonescint.networks.fdn import FDN

        network = self._network
        if self.form is not None or not isinstance(network, FDN):
            return
        seconds: dict[Computation, float] = {}
        recorded: dict[Computation, _Recorded] = {}
        for form in ("phase-split", "dilated"):
            network.computation = form
            self._run(images)
            if self.graphs_refused is None and self._record(images):
                recorded[form] = self._recorded.pop(tuple(images.shape))
            # Timed from the recorded graph if there is one, since starting small steps takes most of the time.
            run = recorded[form].graph.replay if form in recorded else partial(self._run, images)
            seconds[form] = seconds_of(run, self._device, _TIMED_PASSES)
        self.form = network.computation = min(seconds, key=lambda form: seconds[form])
        if self.form in recorded:
            self._recorded[tuple(images.shape)] = recorded[self.form]

    def _record(self, images: torch.Tensor) -> bool:
        """Record a pass over images of this size; return true if it worked."""
        import torch

        before = torch.cuda.current_stream(self._device)
        with torch.cuda.device(self._device):
            try:
                if self._shared is None:
                    stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
                    self._shared = _Shared(torch.cuda.graph_pool_handle(), stream)
                pool, stream = self._shared
                graph, held = torch.cuda.CUDAGraph(), images.clone()
                stream.wait_stream(before)
                with torch.cuda.stream(stream):
                    self._run(held)  # the setup of libraries for a new stream must not be recorded
                before.wait_stream(stream)
                # Other threads may use the device at the same time.
                with torch.cuda.graph(graph, pool=pool, stream=stream, capture_error_mode="thread_local"):
                    logits = self._run(held)
            except RuntimeError as error:  # also if memory is full: passes without graphs need less
                torch.cuda.set_stream(before)  # an interrupted recording does not restore it
                self._recorded.clear()
                self.graphs_refused = str(error).partition("\n")[0]
                return False
        self._recorded[tuple(images.shape)] = _Recorded(graph, held, logits)
        if len(self._recorded) > _MOST_GRAPHS:
            self._recorded.popitem(last=False)
        return True


def seconds_of(run: Callable[[], object], device: torch.device, passes: int) -> float:
    """The shortest duration of a call on a device, of some passes after a first one."""
    run()
    seconds = []
    for _ in range(passes):
        _synchronise(device)
        start = time.perf_counter()
        run()
        _synchronise(device)
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def _synchronise(device: torch.device) -> None:
    import torch

    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _has_tensor_cores(device: torch.device) -> bool:
    """True if half precision is faster: on CUDA devices from compute capability 7.0 on."""
    import torch

    return device.type == "cuda" and torch.cuda.get_device_capability(device) >= (7, 0)


@contextmanager
def without_tf32() -> Iterator[None]:
    """Context in which float32 convolutions and products keep full precision, which is not PyTorch's default."""
    from torch.backends.cuda import matmul
    from torch.backends.cudnn import conv  # type: ignore[attr-defined]  # made when it is imported

    before = [kind.fp32_precision for kind in (conv, matmul)]
    conv.fp32_precision = matmul.fp32_precision = "ieee"
    try:
        yield
    finally:
        conv.fp32_precision, matmul.fp32_precision = before
