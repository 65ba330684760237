"""Find metastases and benign focal uptake with a network."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import softmax

from napari_bonescint.errors import Cancelled
from napari_bonescint.inference.backends.choice import load_on_cpu
from napari_bonescint.inference.model_card import (
    FINDING_HOT_SPOTS,
    UPTAKE_CLASSES,
    ModelError,
    read_card,
    require_purpose,
)
from napari_bonescint.inference.preprocessing import Grid, around_body
from napari_bonescint.measurement.detection.channels import sample_codes, stack_channels
from napari_bonescint.measurement.hot_spots.likelihood import PIXELS_ALONE
from napari_bonescint.measurement.measures import UptakeClasses

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_bonescint.inference.model_card import ModelCard
    from napari_bonescint.scan import Scan

_LESION, _BENIGN = UPTAKE_CLASSES.index("lesion"), UPTAKE_CLASSES.index("benign")


def _never() -> bool:
    return False


def _ignore(_fraction: float) -> None:
    pass


class HotSpotDetector:
    """A loaded model that finds hot spots. It computes on the CPU, which takes a fraction of a second.

    Parameters
    ----------
    card : ModelCard
        The model to load, such as ``current_model(FINDING_HOT_SPOTS)``.

    Raises
    ------
    ModelError
        If the weights are missing, damaged or not what the card says, or the model does not find hot spots.
    """

    def __init__(self, card: ModelCard) -> None:
        require_purpose(card, FINDING_HOT_SPOTS)
        self.card = card
        self._engine, _ = load_on_cpu(card)

    def classify(
        self,
        scan: Scan,
        regions: NDArray[np.uint8],
        *,
        on_progress: Callable[[float], None] = _ignore,
        is_cancelled: Callable[[], bool] = _never,
    ) -> UptakeClasses:
        """Compute the probabilities of each pixel.

        Parameters
        ----------
        scan : Scan
            Counts of shape (view, y, x), as acquired. Two opposite views are looked at together.
        regions : ndarray of uint8, shape (view, y, x)
            Region codes.
        on_progress : callable
            Called with the fraction done, 0 to 1.
        is_cancelled : callable
            Called between the steps, which take a fraction of a second.

        Raises
        ------
        Cancelled
            If `is_cancelled` turned true.
        ModelError
            If the network computes infinite or undefined values.
        """
        grid = Grid.of(scan, self.card.grid_mm)
        coarse = grid.coarsen(scan.counts.astype(np.float32))
        codes = sample_codes(grid, regions, (coarse.shape[1], coarse.shape[2]))
        channels = stack_channels(coarse, codes, [view.name for view in scan.views], grid.mm)
        _report(0.3, on_progress, is_cancelled)
        shares = self._shares(channels)
        _report(0.8, on_progress, is_cancelled)
        lesion, benign = (np.clip(grid.refine(shares[:, index]), 0, 1) for index in (_LESION, _BENIGN))
        on_progress(1.0)
        weights = self.card.spot_weights or PIXELS_ALONE
        return UptakeClasses(lesion, benign, self.card.name, self.card.weights_sha256, weights)

    def _shares(self, channels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probability (view, class, y, x) of each class, from channels (view, channel, y, x)."""
        rows, columns = around_body(channels[:, 0])
        body = np.ascontiguousarray(channels[:, :, rows, columns])
        computed = self._engine.logits(np.concatenate((body, body[..., ::-1])) if self.card.mirrored else body)
        with np.errstate(over="ignore"):
            is_finite = np.isfinite(computed.sum())
        if not is_finite:
            raise ModelError(f"Model {self.card.name} computed values that are not finite, so no hot spots are found.")
        if self.card.mirrored:
            upright, mirrored = np.split(computed, 2)
            computed = (upright + mirrored[..., ::-1]) / np.float32(2)
        shares = np.zeros((len(channels), len(UPTAKE_CLASSES), *channels.shape[2:]), np.float32)
        shares[:, 0] = 1
        shares[:, :, rows, columns] = softmax(computed / np.float32(self.card.temperature), axis=1)
        return shares


def classify(
    scan: Scan,
    regions: NDArray[np.uint8],
    card: ModelCard,
    *,
    on_progress: Callable[[float], None] = _ignore,
    is_cancelled: Callable[[], bool] = _never,
) -> UptakeClasses:
    """Classify a scan with a model that stays loaded in this process, as `HotSpotDetector.classify` does."""
    return _loaded(card.path, card.weights_sha256).classify(
        scan, regions, on_progress=on_progress, is_cancelled=is_cancelled
    )


@lru_cache(1)
def _loaded(path: Path, _weights_sha256: str) -> HotSpotDetector:
    return HotSpotDetector(read_card(path))


def _report(fraction: float, on_progress: Callable[[float], None], is_cancelled: Callable[[], bool]) -> None:
    on_progress(fraction)
    if is_cancelled():
        raise Cancelled("Finding hot spots was cancelled.")
