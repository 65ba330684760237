"""Measure the speed, the peak memory and the accuracy of each engine on the CPU.

Each measurement runs in its own process, so peak memory is that of one engine.
"""

from __future__ import annotations

import multiprocessing
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_bonescint.errors import BonescintError
from napari_bonescint.inference.agreement import agreement, bone
from napari_bonescint.inference.backends.choice import CPU_ENGINES
from napari_bonescint.inference.backends.comparisons import COMPARISONS
from napari_bonescint.inference.backends.engine import EngineUnavailable, require_known
from napari_bonescint.inference.backends.openvino_engine import OpenVinoEngine, OpenVinoInt8Engine
from napari_bonescint.inference.devices import cpu_facts, usable_cores
from napari_bonescint.inference.preprocessing import Grid, images_on, normalise
from napari_bonescint.processes.child import end_with_parent, without_interrupts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from multiprocessing.connection import Connection

    from numpy.typing import NDArray

    from napari_bonescint.inference.model_card import ModelCard
    from napari_bonescint.scan import Scan

NAIVE = "naive eager"
_FULL_SHAPE = (1024, 256)
_ENGINES = {**CPU_ENGINES, **COMPARISONS}
_CONVERTING = (OpenVinoInt8Engine.name, OpenVinoEngine.name)
_PASSES = 3


class BenchmarkError(BonescintError):
    """A measurement that failed."""


@dataclass(frozen=True)
class Timing:
    """Measurements of one engine with one model on one grid.

    Attributes
    ----------
    model, engine : str
    shape : (int, int)
        Rows and columns of each view.
    first_seconds : float
        Time of the first pass over a scan, without loading.
    milliseconds : float
        Time for each of two views in one batch: the fastest of three passes after the first.
    peak_mb : float or None
        Peak memory of the process; None if the system does not report it.
    largest_difference : float
        Largest difference in the probability of bone from the naive engine.
    dice : float
        Dice of the mask of bone with that of the naive engine.
    """

    model: str
    engine: str
    shape: tuple[int, int]
    first_seconds: float
    milliseconds: float
    peak_mb: float | None
    largest_difference: float
    dice: float

    @property
    def scans_per_second(self) -> float:
        """Throughput in scans of two views a second."""
        return 500 / self.milliseconds


class _BenchmarkTask(NamedTuple):
    card: ModelCard
    engine: str
    images: NDArray[np.float32]


class _Outcome(NamedTuple):
    seconds: tuple[float, ...]
    peak_mb: float | None
    probability: NDArray[np.float32]


def measure(cards: Sequence[ModelCard], scan: Scan) -> Iterator[Timing | str]:
    """Measure models with every engine, on a grid of 1024 x 256 and on the model's own grid.

    Parameters
    ----------
    cards : sequence of ModelCard
    scan : Scan
        Two views of a body.

    Yields
    ------
    Timing or str
        For each model and grid, the naive engine first; a string is the reason why an engine cannot compute the model.

    Raises
    ------
    BenchmarkError
        If a measuring process ends without a result.
    """
    for card in cards:
        require_known(card)
        own = images_on(Grid.of(scan, card.grid_mm), scan)
        for images in (of_full_shape(scan), own):
            naive: NDArray[np.float32] | None = None
            for engine in (NAIVE, *_ENGINES):
                if engine in _CONVERTING and images is not own:  # converts the network: later times are measured
                    _in_a_process(_BenchmarkTask(card, engine, own[:, :1, :1]))
                outcome = _in_a_process(_BenchmarkTask(card, engine, images))
                if isinstance(outcome, str):
                    yield outcome
                    continue
                if naive is None:
                    naive = outcome.probability
                yield _timing(card.name, engine, outcome, naive)


def markdown(timings: Sequence[Timing]) -> str:
    """The measurements as a page for docs/, in Markdown."""
    naive = {(timing.model, timing.shape): timing.milliseconds for timing in timings if timing.engine == NAIVE}
    lines = [
        "# Speed",
        "",
        f"Made by `bonescint benchmark` on {processor()}, with {usable_cores()} cores; float32 but for int8.",
        "Both views of a scan in one batch, whole; fastest of three warm passes of the network alone. Naive eager is",
        "PyTorch as the network is defined: dilated convolutions, layout NCHW. Agreement is with it: the largest",
        "difference in the probability of bone, and Dice of the masks. The plugin takes openvino-int8 where the",
        "model's card allows it, else openvino, and torch where OpenVINO is not installed; torch is PyTorch with",
        "phases split and channels last. Networks were converted for OpenVINO before, once.",
        f"{' and '.join(COMPARISONS)} are there for comparison only.",
        "",
        "| model | grid | engine | ms a view | times naive | scans/s | first pass | peak memory | difference | Dice |",
        "|---|---|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for t in timings:
        memory = "" if t.peak_mb is None else f"{t.peak_mb:.0f} MB"
        faster = naive[t.model, t.shape] / t.milliseconds
        lines.append(
            f"| {t.model} | {t.shape[0]} x {t.shape[1]} | {t.engine} | {t.milliseconds:.0f} | {faster:.1f} "
            f"| {t.scans_per_second:.2f} | {t.first_seconds:.2f} s | {memory} | {t.largest_difference:.0e} "
            f"| {t.dice:.4f} |"
        )
    return "\n".join(lines) + "\n"


def processor() -> str:
    """The processor's name and, if the system reports them, its instructions for numbers of few bits."""
    name, flags = cpu_facts()
    if not flags:
        return name
    instructions = {"AVX-512": "avx512f", "VNNI": "_vnni", "bfloat16": "_bf16"}
    found = ", ".join(f"{word} {'yes' if flag in flags else 'no'}" for word, flag in instructions.items())
    return f"{name} ({found})"


def of_full_shape(scan: Scan) -> NDArray[np.float32]:
    """Both views, normalised, with their own pixels, cropped or padded with zeros to 1024 x 256."""
    views = np.stack([normalise(view) for view in scan.counts.astype(np.float32)])
    full = np.zeros((len(views), *_FULL_SHAPE), np.float32)
    rows, columns = (min(have, want) for have, want in zip(views.shape[1:], _FULL_SHAPE, strict=True))
    full[:, :rows, :columns] = views[:, :rows, :columns]
    return full


def _timing(model: str, engine: str, outcome: _Outcome, naive: NDArray[np.float32]) -> Timing:
    first, *warm = outcome.seconds
    largest_difference, dice = agreement(outcome.probability, naive)
    return Timing(
        model=model,
        engine=engine,
        shape=(naive.shape[1], naive.shape[2]),
        first_seconds=first,
        milliseconds=1000 * min(warm) / len(naive),
        peak_mb=outcome.peak_mb,
        largest_difference=largest_difference,
        dice=dice,
    )


def _in_a_process(task: _BenchmarkTask) -> _Outcome | str:
    context = multiprocessing.get_context("spawn")
    ours, childs = context.Pipe()
    process = context.Process(target=_serve, args=(childs, task), daemon=True)
    with without_interrupts():
        process.start()
        childs.close()
    try:
        answer: _Outcome | str = ours.recv()
    except EOFError:
        raise BenchmarkError(f"{task.card.name} with {task.engine}: the measuring process ended early.") from None
    except KeyboardInterrupt:
        # Otherwise it would compute for minutes, and then wait for its result to be received.
        process.kill()
        raise
    finally:
        process.join()
    return answer


def _serve(pipe: Connection, task: _BenchmarkTask) -> None:
    """Measure one engine in a process of its own, and send the result."""
    end_with_parent()
    try:
        engine = _Naive(task.card) if task.engine == NAIVE else _ENGINES[task.engine](task.card)
    except EngineUnavailable as error:
        pipe.send(f"{task.card.name}, {task.engine}: {error}.")
        return
    seconds = []
    for _ in range(1 + _PASSES):
        start = time.perf_counter()
        logits = engine.logits(task.images)
        seconds.append(time.perf_counter() - start)
    pipe.send(_Outcome(tuple(seconds), _peak_mb(), bone(logits)))


class _Naive:
    """The engine without optimisations: PyTorch computes the network as it is defined."""

    name = NAIVE

    def __init__(self, card: ModelCard) -> None:
        from napari_bonescint.inference.backends.torch_engine import load_network
        from napari_bonescint.networks.fdn import FDN

        self._network = load_network(card)
        if isinstance(self._network, FDN):
            self._network.computation = "dilated"

    def logits(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Engine.logits`."""
        import torch

        with torch.inference_mode():
            logits: NDArray[np.float32] = self._network(torch.from_numpy(images[:, None])).numpy()
            return logits


def _peak_mb() -> float | None:
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)
