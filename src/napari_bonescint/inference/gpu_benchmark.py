"""Measure the speed of models on a CUDA device, as a share of the device's peak throughput.

The peak is measured: a large matrix product in the same precision and process. The operations of a network are twice
the multiplications with addition of its convolutions, independent of the algorithm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_bonescint.inference.agreement import agreement, bone
from napari_bonescint.inference.backends.torch_engine import TorchEngine
from napari_bonescint.inference.backends.torch_gpu_engine import TorchGpuEngine, seconds_of, without_tf32
from napari_bonescint.inference.preprocessing import Grid, images_on

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from napari_bonescint.inference.backends.torch_gpu_engine import Precision
    from napari_bonescint.inference.model_card import ModelCard
    from napari_bonescint.scan import Scan

_PASSES = 20
_MATRIX = 8192


@dataclass(frozen=True)
class GpuTiming:
    """Measurements of one model in one precision on one grid.

    Attributes
    ----------
    model, precision : str
    form : str
        Form of a dilated net, and ``graph`` (a recorded CUDA graph) or ``eager``.
    shape : (int, int)
        Rows and columns of each view.
    milliseconds, with_copies : float
        Time for each view of the batch, the fastest of twenty passes: with images and logits on the device, and
        with copies from and to the computer's memory.
    flops : int
        Operations for one view.
    peak : float
        Operations a second of a large matrix product on this device in this precision.
    largest_difference : float
        Largest difference in the probability of bone from float32 on the CPU.
    dice : float
        Dice of the mask of bone with that of float32 on the CPU.
    """

    model: str
    precision: str
    form: str
    shape: tuple[int, int]
    milliseconds: float
    with_copies: float
    flops: int
    peak: float
    largest_difference: float
    dice: float

    @property
    def share(self) -> float:
        """Throughput as a share of the peak, 0 to 1."""
        return self.flops / (self.milliseconds / 1000) / self.peak

    def __str__(self) -> str:
        rows, columns = self.shape
        return (
            f"{self.model}, {rows} x {columns}, {self.precision}, {self.form}: {self.milliseconds:.2f} ms a view, "
            f"{self.with_copies:.2f} ms with copies, {self.flops / 1e9:.1f} GFLOP, {100 * self.share:.1f} % of "
            f"{self.peak / 1e12:.0f} TFLOP/s"
        )


def gpu_page(cards: Sequence[ModelCard], scan: Scan) -> str:
    """Measure on the first CUDA device, print each result, and return a section of a page; empty without a device."""
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
    """Measure models on a grid of 1024 x 256 and on the model's own, in every precision that the device supports.

    Parameters
    ----------
    cards : sequence of ModelCard
    scan : Scan
        Two views of a body.
    device : str
        ``cuda:N``, or ``cpu`` for tests.
    matrix : int
        Rows of the matrices for the peak.
    passes : int
        Number of timed passes.
    """
    from napari_bonescint.inference.benchmark import of_full_shape

    peaks = {precision: peak_flops(device, precision, matrix) for precision in precisions_of(device)}
    for card in cards:
        for images in (of_full_shape(scan), images_on(Grid.of(scan, card.grid_mm), scan)):
            reference = bone(TorchEngine(card).logits(images))
            for precision, peak in peaks.items():
                engine = TorchGpuEngine(card, device, precision)
                yield measure_engine(engine, card, images, peak, reference, passes)


def precisions_of(device: str) -> tuple[Precision, ...]:
    """Precisions that a device supports: bfloat16 from NVIDIA's Ampere on, only float32 on a CPU."""
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
        The engine's model.
    images : ndarray of shape (batch, y, x)
        Normalised images.
    peak : float
        See `peak_flops`.
    reference : ndarray of shape (batch, y, x)
        Probability of bone in float32 on the CPU.
    passes : int
        Number of timed passes.
    """
    import torch

    probability = bone(engine.logits(images))
    engine.logits(images)  # the second call records the CUDA graph
    device = torch.device(engine.device)
    on_device = torch.from_numpy(images[:, None]).to(device)
    computing = seconds_of(lambda: engine.compute(on_device), device, passes)
    copying = seconds_of(lambda: engine.logits(images), device, passes)
    largest_difference, dice = agreement(probability, reference)
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
        largest_difference=largest_difference,
        dice=dice,
    )


def network_flops(architecture: str, outputs: int, shape: tuple[int, int]) -> int:
    """Operations of a network for one view: two for each multiplication with addition.

    Parameters
    ----------
    architecture : str
        A name in `networks.zoo.ARCHITECTURES`.
    outputs : int
        Output channels.
    shape : (int, int)
        Rows and columns; operations on the padding count, too.
    """
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from napari_bonescint.networks.zoo import build_network

    with torch.device("meta"):  # tensors with a shape and no data
        network = build_network(architecture, outputs=outputs).eval()
        with FlopCounterMode(display=False) as counter, torch.inference_mode():
            network(torch.empty(1, 1, *shape))
    return int(counter.get_total_flops())


def peak_flops(device: str, precision: Precision, matrix: int = _MATRIX) -> float:
    """Operations a second of the product of two random square matrices with `matrix` rows, the fastest of 20 passes."""
    import torch

    kind = getattr(torch, precision)
    generator = torch.Generator(device).manual_seed(0)
    a, b = (torch.randn(matrix, matrix, device=device, generator=generator).to(kind) for _ in range(2))
    with without_tf32():
        return 2 * matrix**3 / seconds_of(lambda: a @ b, torch.device(device), _PASSES)


def gpu_markdown(timings: Sequence[GpuTiming], device: str) -> str:
    """The measurements as a section of a page, in Markdown."""
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
        f"| {t.largest_difference:.0e} | {t.dice:.4f} |"
        for t in timings
    ]
    return "\n".join(["", *lines]) + "\n"
