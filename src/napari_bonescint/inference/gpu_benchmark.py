"""How fast models are on a CUDA device, and which share of what its arithmetic can do they reach.

The limit is a measured one: a large product of matrices in the same precision and process. The work of a network is
what its convolutions multiply and add, twice as many operations, however they are computed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit, softmax

from napari_bonescint.inference.backends.torch_engine import TorchEngine
from napari_bonescint.inference.backends.torch_gpu_engine import TorchGpuEngine, seconds_of, without_tf32

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from napari_bonescint.inference.backends.torch_gpu_engine import Precision
    from napari_bonescint.inference.model_card import ModelCard
    from napari_bonescint.scan import Scan

_PASSES = 20
_MATRIX = 8192


@dataclass(frozen=True)
class GpuTiming:
    """One model in one precision on one grid.

    Attributes
    ----------
    model, precision : str
    form : str
        How it was computed: in which form of a dilated net, and whether replayed from a graph.
    shape : (int, int)
        Rows and columns of each view.
    milliseconds, with_copies : float
        For one view of the batch, the fastest of twenty passes: with the images and the logits on the device, and from
        and to the computer's own memory.
    flops : int
        Operations that one view takes.
    peak : float
        Operations a second of a large product of matrices on this device in this precision.
    furthest : float
        The largest difference in the probability of bone from float32 on the CPU.
    dice : float
        Of the mask of bone with that one.
    """

    model: str
    precision: str
    form: str
    shape: tuple[int, int]
    milliseconds: float
    with_copies: float
    flops: int
    peak: float
    furthest: float
    dice: float

    @property
    def share(self) -> float:
        """Which share of the peak the network reaches."""
        return self.flops / (self.milliseconds / 1000) / self.peak

    def __str__(self) -> str:
        rows, columns = self.shape
        return (
            f"{self.model}, {rows} x {columns}, {self.precision}, {self.form}: {self.milliseconds:.2f} ms a view, "
            f"{self.with_copies:.2f} ms with copies, {self.flops / 1e9:.1f} GFLOP, {100 * self.share:.1f} % of "
            f"{self.peak / 1e12:.0f} TFLOP/s"
        )


def gpu_page(cards: Sequence[ModelCard], scan: Scan) -> str:
    """Measure on the first CUDA device, print as it comes, and return a part of a page; empty without such a device."""
    import torch

    if not torch.cuda.is_available():
        return ""
    timings = []
    for timing in measure_on_gpu(cards, scan, "cuda:0"):
        timings.append(timing)
        print(timing, flush=True)
    return gpu_markdown(timings, torch.cuda.get_device_name(0))


def measure_on_gpu(
    cards: Sequence[ModelCard], scan: Scan, device: str, *, matrix: int = _MATRIX, passes: int = _PASSES
) -> Iterator[GpuTiming]:
    """Measure models on a grid of 1024 x 256 and on each model's own, in every precision that the device is fast in.

    Parameters
    ----------
    cards : sequence of ModelCard
    scan : Scan
        Two views with body in them.
    device : str
        ``cuda:N``; also ``cpu``, to try it.
    matrix : int
        Rows of the matrices that tell the peak.
    passes : int
        How many are timed.
    """
    from napari_bonescint.inference.benchmark import of_full_shape, on_grid

    peaks = {precision: peak_flops(device, precision, matrix) for precision in precisions_of(device)}
    for card in cards:
        for images in (of_full_shape(scan), on_grid(scan, card.grid_mm)):
            reference = bone(TorchEngine(card).logits(images))
            for precision, peak in peaks.items():
                engine = TorchGpuEngine(card, device, precision)
                yield measure_engine(engine, card, images, peak, reference, passes)


def precisions_of(device: str) -> tuple[Precision, ...]:
    """In what a device computes: not in bfloat16 before NVIDIA's Ampere, and on a CPU nobody would but in float32."""
    import torch

    if device == "cpu":
        return ("float32",)
    with torch.cuda.device(device):
        has_bfloat16 = torch.cuda.is_bf16_supported(including_emulation=False)
    return ("float32", "float16", "bfloat16") if has_bfloat16 else ("float32", "float16")


def measure_engine(
    engine: TorchGpuEngine,
    card: ModelCard,
    images: NDArray[np.float32],
    peak: float,
    reference: NDArray[np.float32],
    passes: int = _PASSES,
) -> GpuTiming:
    """Measure one engine.

    Parameters
    ----------
    engine : TorchGpuEngine
    card : ModelCard
        Its model.
    images : ndarray of shape (batch, y, x)
        Normalised.
    peak : float
        See `peak_flops`.
    reference : ndarray of shape (batch, y, x)
        Probability of bone.
    passes : int
        How many are timed.
    """
    import torch

    probability = bone(engine.logits(images))
    engine.logits(images)  # the second time, passes are recorded
    device = torch.device(engine.device)
    on_device = torch.from_numpy(images[:, None]).to(device)
    computing = seconds_of(lambda: engine.compute(on_device), device, passes)
    copying = seconds_of(lambda: engine.logits(images), device, passes)
    mask, other = probability >= 0.5, reference >= 0.5
    both = int(mask.sum()) + int(other.sum())
    how = "eager" if engine.graphs_refused else "graph"
    return GpuTiming(
        model=card.name,
        precision=engine.precision,
        form=f"{engine.form}, {how}" if engine.form else how,
        shape=(images.shape[1], images.shape[2]),
        milliseconds=1000 * computing / len(images),
        with_copies=1000 * copying / len(images),
        flops=network_flops(card.architecture, card.outputs, (images.shape[1], images.shape[2])),
        peak=peak,
        furthest=float(np.abs(probability - reference).max()),
        dice=2 * int((mask & other).sum()) / both if both else 1.0,
    )


def network_flops(architecture: str, outputs: int, shape: tuple[int, int]) -> int:
    """Operations that a network takes for one view: two for each multiplication with an addition.

    Parameters
    ----------
    architecture : str
        A name in `networks.zoo.ARCHITECTURES`.
    outputs : int
        Channels of the result.
    shape : (int, int)
        Rows and columns; what they are padded by is counted, too.
    """
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from napari_bonescint.networks.zoo import build_network

    with torch.device("meta"):  # shapes without any numbers
        network = build_network(architecture, outputs=outputs).eval()
        with FlopCounterMode(display=False) as counter, torch.inference_mode():
            network(torch.empty(1, 1, *shape))
    return int(counter.get_total_flops())


def peak_flops(device: str, precision: Precision, matrix: int = _MATRIX) -> float:
    """Operations a second of a product of two random square matrices with `matrix` rows, the fastest of some."""
    import torch

    kind = getattr(torch, precision)
    generator = torch.Generator(device).manual_seed(0)
    a, b = (torch.randn(matrix, matrix, device=device, generator=generator).to(kind) for _ in range(2))
    with without_tf32():
        return 2 * matrix**3 / seconds_of(lambda: a @ b, torch.device(device), _PASSES)


def gpu_markdown(timings: Sequence[GpuTiming], device: str) -> str:
    """A part of a page, with a table of the measurements."""
    lines = [
        f"## On an {device}" if device.startswith("NVIDIA") else f"## On {device}",
        "",
        "Both views of a scan in one batch, whole; the fastest of twenty passes, waited for: with the images and the",
        "result on the device, and from and to the computer's memory. The peak, TFLOP/s, is that of a large product of",
        "matrices in the same precision and process; GFLOP are a view's multiplications and additions.",
        "TensorFloat-32 is off. Agreement is with float32 on the CPU.",
        "",
        "| model | grid | precision | form | ms a view | with copies | GFLOP | of peak | TFLOP/s | difference | Dice |",
        "|---|---|---|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    lines += [
        f"| {t.model} | {t.shape[0]} x {t.shape[1]} | {t.precision} | {t.form} | {t.milliseconds:.2f} "
        f"| {t.with_copies:.2f} | {t.flops / 1e9:.1f} | {100 * t.share:.1f} % | {t.peak / 1e12:.1f} "
        f"| {t.furthest:.0e} | {t.dice:.4f} |"
        for t in timings
    ]
    return "\n".join(["", *lines]) + "\n"


def bone(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probability of bone (batch, y, x) that logits (batch, outputs, y, x) mean."""
    probability = expit(logits[:, 0]) if logits.shape[1] == 1 else 1 - softmax(logits, axis=1)[:, 0]
    return np.asarray(probability, np.float32)
