"""Run a network on scans."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit, logit, softmax

from napari_bonescint.errors import BonescintError, Cancelled
from napari_bonescint.inference.backends.choice import load_on_cpu, load_on_gpu
from napari_bonescint.inference.cleaning import clean_regions, clean_skeleton
from napari_bonescint.inference.devices import DeviceChoice, choose_device
from napari_bonescint.inference.input_checks import input_warnings
from napari_bonescint.inference.model_card import SEGMENTING, ModelError, require_purpose
from napari_bonescint.inference.preprocessing import ASSUMED_SPACING_MM, Grid, around_body, images_on
from napari_bonescint.notices import Notice, Remedy
from napari_bonescint.scan import Scan, View, ViewName
from napari_bonescint.segmentation import Segmentation

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from napari_bonescint.inference.backends.engine import Engine
    from napari_bonescint.inference.model_card import ModelCard


_LARGEST_EXTENT_M = 4.0
# cuDNN raises the last one if no algorithm for a convolution has enough memory.
_FULL = ("out of memory", "ALLOC_FAILED", "ALLOCATION_FAILED", "unable to find an engine")
_SURE = np.float32(20)
"""Logit of background outside the body."""


def _never() -> bool:
    return False


def _ignore(_fraction: float) -> None:
    pass


class ScanError(BonescintError):
    """A scan with impossible properties."""


class Segmenter:
    """A model that is loaded on a device.

    Parameters
    ----------
    card : ModelCard
        The model to load.
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
    turn : int
        See `choose_device`.
    engine : Engine or None
        The engine to use instead of the fastest one for the device, with the model loaded.

    Attributes
    ----------
    card : ModelCard
    device : DeviceChoice
        The device and the reason for it. Changes to the CPU when a GPU runs out of memory.

    Raises
    ------
    ModelError
        If the weights are missing, damaged or not what the card says, or the model does not segment.
    DeviceError
        If the device does not exist.
    """

    def __init__(self, card: ModelCard, device: str = "auto", *, turn: int = 0, engine: Engine | None = None) -> None:
        require_purpose(card, SEGMENTING)
        self.card = card
        self.device: DeviceChoice = choose_device(device, turn)
        if engine is not None:
            self._engine = engine
            return
        if self.device.device == "cpu":
            self._engine = self._engine_on_cpu()
            return
        try:
            self._engine = load_on_gpu(card, self.device.device)
        except RuntimeError as error:
            self._give_up_gpu(error)

    def segment(
        self,
        scan: Scan,
        *,
        on_progress: Callable[[float], None] = _ignore,
        is_cancelled: Callable[[], bool] = _never,
    ) -> Segmentation:
        """Segment every view of a scan in one batch.

        Parameters
        ----------
        scan : Scan
            Counts of shape (view, y, x), as acquired.
        on_progress : callable
            Called with the fraction done, 0 to 1.
        is_cancelled : callable
            Called between the steps. One step takes up to two seconds on a CPU.

        Returns
        -------
        Segmentation
            Masks of the shape of the counts.

        Raises
        ------
        Cancelled
            If `is_cancelled` turned true; nothing is kept.
        ModelError
            If the network computes infinite or undefined values.
        ScanError
            If the spacing makes the scan longer than four metres; no scanner table is that long.
        """
        start = time.perf_counter()
        warnings: list[str] = []
        if scan.spacing is None:
            warnings.append(
                Notice(
                    f"A pixel size of {ASSUMED_SPACING_MM} mm was assumed; if bones are cut wrongly, set it.",
                    Remedy.SET_SPACING,
                )
            )
        grid = Grid.of(scan, self.card.grid_mm)
        spacing = grid.spacing
        extent = max(n * mm / 1000 for n, mm in zip(grid.shape, spacing, strict=True))
        if extent > _LARGEST_EXTENT_M:
            raise ScanError(
                f"The image would be {extent:.0f} m long with pixels of {max(spacing):g} mm; give the right spacing."
            )
        images = images_on(grid, scan)
        _report(0.1, on_progress, is_cancelled)
        logits, fell_back = self._logits(images)
        if fell_back:
            warnings.append(f"{self.device.reason}.")
        _report(0.8, on_progress, is_cancelled)
        probability, classes = self._decide(logits, grid)
        clean = clean_regions if self.card.names_regions else clean_skeleton
        classes = np.stack([clean(view, spacing) for view in classes])
        regions = classes if self.card.names_regions else None
        warnings += input_warnings(scan.views, grid.refine(images), probability, regions, spacing)
        _report(1.0, on_progress, is_cancelled)
        return Segmentation(
            skeleton=(classes > 0).astype(np.uint8),
            regions=regions,
            probability=probability,
            model=self.card.name,
            model_sha256=self.card.weights_sha256,
            device=self.device.device,
            device_reason=self.device.reason,
            backend=self._engine.name,
            seconds=time.perf_counter() - start,
            warnings=tuple(warnings),
        )

    def warm_up(self, *, is_cancelled: Callable[[], bool] = _never) -> None:
        """Load libraries, compile code and allocate memory before the first scan, by segmenting a simulated one.

        Engines prepare for one image size. The simulated person is 1.7 m tall, on the usual 1024 x 256 pixels.

        Parameters
        ----------
        is_cancelled : callable
            As in `segment`.

        Raises
        ------
        Cancelled
            If `is_cancelled` turned true.
        """
        counts = np.zeros((2, 1024, 256), np.uint16)
        counts[:, 132:892, 43:213] = 1
        spacing = (ASSUMED_SPACING_MM, ASSUMED_SPACING_MM)
        person = Scan(counts, (View(ViewName.ANTERIOR), View(ViewName.POSTERIOR)), spacing)
        self.segment(person, is_cancelled=is_cancelled)

    def _logits(self, images: NDArray[np.float32]) -> tuple[NDArray[np.float32], bool]:
        """Logits (view, outputs, y, x) of images (view, y, x), and true if the CPU had to replace a full GPU."""
        try:
            return self._run(images), False
        except RuntimeError as error:
            self._give_up_gpu(error)
        # Outside the handler: the exception keeps the GPU tensors of its frames in memory.
        return self._run(images), True

    def _give_up_gpu(self, error: RuntimeError) -> None:
        """Change to the CPU if a GPU is out of memory; raise any other error again."""
        if self.device.device == "cpu" or not is_out_of_memory(error):
            raise error
        self.device = DeviceChoice("cpu", f"CPU: {self.device.device} ran out of memory")
        self._engine = self._engine_on_cpu()

    def _engine_on_cpu(self) -> Engine:
        """Load the model for the CPU, and record the reason if the fastest engine cannot compute it."""
        engine, reasons = load_on_cpu(self.card)
        if reasons:
            self.device = self.device._replace(reason=f"{self.device.reason}; {', '.join(reasons)}: slower than usual")
        return engine

    def _run(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        rows, columns = around_body(images)
        body = images[:, rows, columns]
        # One batch keeps all cores busy.
        computed = self._engine.logits(np.concatenate((body, body[..., ::-1])) if self.card.mirrored else body)
        # A mask of values that are not finite would be empty, as if there were no bone.
        with np.errstate(over="ignore"):
            is_finite = np.isfinite(computed.sum())
        if not is_finite:
            raise ModelError(
                f"Model {self.card.name} computed values that are not finite ({self._engine.name}), so there is no "
                "mask; choose another model or device."
            )
        if self.card.mirrored:
            upright, mirrored = np.split(computed, 2)
            computed = (upright + mirrored[..., ::-1]) / np.float32(2)
        logits = np.zeros((len(images), self.card.outputs, *images.shape[1:]), np.float32)
        logits[:, 0] = _SURE if self.card.names_regions else -_SURE
        logits[:, :, rows, columns] = computed
        return logits

    def _decide(self, logits: NDArray[np.float32], grid: Grid) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """Probability of bone and class of every fine pixel, both (view, y, x)."""
        if not self.card.names_regions:
            probability = grid.refine(expit(logits[:, 0]))
            return self._calibrated(probability), (probability >= 0.5).astype(np.uint8)
        probabilities, classes = [], []
        for view in logits:
            shares = grid.refine(softmax(view, axis=0))
            probability = np.clip(1 - shares[0], 0, 1)
            # Bone or background is decided first, the region second: a pixel on the border of two bones is bone
            # even if background is likelier than either of them alone.
            is_bone = probability >= 0.5
            regions = np.zeros(probability.shape, np.uint8)
            regions[is_bone] = 1 + shares[1:, is_bone].argmax(axis=0)
            probabilities.append(probability)
            classes.append(regions)
        return self._calibrated(np.stack(probabilities)), np.stack(classes)

    def _calibrated(self, probability: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probability of bone with its log-odds divided by the card's temperature; 0.5 stays 0.5."""
        log_odds = logit(np.clip(probability, 1e-7, 1 - 1e-7))
        return np.asarray(expit(log_odds / self.card.temperature), np.float32)


def is_out_of_memory(error: RuntimeError) -> bool:
    """True if an error of PyTorch, CUDA, cuBLAS or cuDNN means that the GPU has no free memory."""
    import torch

    return isinstance(error, torch.OutOfMemoryError) or any(words in str(error) for words in _FULL)


def _report(fraction: float, on_progress: Callable[[float], None], is_cancelled: Callable[[], bool]) -> None:
    on_progress(fraction)
    if is_cancelled():
        raise Cancelled("Segmentation was cancelled.")
