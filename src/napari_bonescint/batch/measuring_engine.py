"""Segment and measure one scan, with models that are loaded when they are needed."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from napari_bonescint.batch.at_hand import RegionMasks
from napari_bonescint.corrections.store.files.plane_files import planes_sha256
from napari_bonescint.inference.devices import choose_device
from napari_bonescint.measurement.files import MeasuredMasks
from napari_bonescint.measurement.measuring import CannotMeasure, measure_regions

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_bonescint.batch.at_hand import OpenedScan
    from napari_bonescint.batch.job import Job
    from napari_bonescint.inference.model_card import ModelCard
    from napari_bonescint.inference.segmenter import Segmenter
    from napari_bonescint.measurement.comparison.changes import Comparison
    from napari_bonescint.measurement.comparison.follow_up import FollowUp
    from napari_bonescint.measurement.detection.detector import HotSpotDetector
    from napari_bonescint.measurement.measures import Measured
    from napari_bonescint.segmentation import Segmentation

_SHARE_OF_SEGMENTING = 0.7


@dataclass(frozen=True)
class MeasuredNow:
    """What is computed for one scan.

    Attributes
    ----------
    segmentation : Segmentation or None
        None if the masks existed already.
    masks : RegionMasks
    measured : Measured
    seconds : float
        Duration of measuring, without segmenting.
    comparison : Comparison or None
        Comparison with the latest prior scan.
    follow_up : FollowUp or None
        The series of scans, if there are several prior ones.
    """

    segmentation: Segmentation | None
    masks: RegionMasks
    measured: Measured
    seconds: float
    comparison: Comparison | None = None
    follow_up: FollowUp | None = None


class MeasuringEngine:
    """The models for measuring; each is loaded for the first scan that needs it.

    Parameters
    ----------
    card : ModelCard
        The model for segmenting.
    hot_spots : ModelCard or None
        The model for hot spots; None for thresholds.
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
    turn : int
        See `devices.choose_device`.

    Attributes
    ----------
    device : DeviceChoice
        The device for segmenting and the reason for it.
    """

    def __init__(self, card: ModelCard, hot_spots: ModelCard | None, device: str, turn: int) -> None:
        self.device = choose_device(device, turn)
        self._card, self._hot_spots = card, hot_spots
        self._wanted, self._turn = device, turn

    @cached_property
    def segmenter(self) -> Segmenter:
        """The loaded model for segmenting."""
        from napari_bonescint.inference.segmenter import Segmenter

        return Segmenter(self._card, self._wanted, turn=self._turn)

    @cached_property
    def detector(self) -> HotSpotDetector | None:
        """The loaded model for hot spots; None for thresholds."""
        if self._hot_spots is None:
            return None
        from napari_bonescint.measurement.detection.detector import HotSpotDetector

        return HotSpotDetector(self._hot_spots)

    def measure(self, job: Job, opened: OpenedScan, on_progress: Callable[[float], None]) -> MeasuredNow:
        """Segment a scan if it has no masks, and measure it unless its measures are kept."""
        segmentation, masks = None, opened.masks
        if masks is None:
            segmentation = self.segmenter.segment(
                opened.scan, on_progress=lambda done: on_progress(_SHARE_OF_SEGMENTING * done)
            )
            masks = _new_masks(job, segmentation)
        if opened.kept and opened.before is not None:
            return MeasuredNow(segmentation, masks, opened.before, 0.0)
        detector = self.detector
        start = time.perf_counter()
        measured = measure_regions(opened.scan, masks.regions, detector, before=opened.before, models=masks.models)
        seconds = time.perf_counter() - start
        on_progress(1.0)
        return MeasuredNow(segmentation, masks, measured, seconds)


def _new_masks(job: Job, segmentation: Segmentation) -> RegionMasks:
    if segmentation.regions is None:
        raise CannotMeasure(
            f"{job.name}: The model {segmentation.model} marks bone without naming regions; choose a model that names "
            "regions."
        )
    recorded = MeasuredMasks((job.result.regions.name,), planes_sha256(segmentation.regions))
    models = {segmentation.model: segmentation.model_sha256}
    return RegionMasks(segmentation.regions, recorded, models, segmentation.warnings)
