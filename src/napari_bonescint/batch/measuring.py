"""The work of `bonescint measure`: read a scan, segment it unless its masks exist, measure it, write the measures."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from napari_bonescint.batch.given_masks import read_given_masks
from napari_bonescint.batch.job import Outcome, unless_it_fails
from napari_bonescint.batch.model_here import card_here
from napari_bonescint.batch.segmenting import of_another_scan, own_masks, require_room
from napari_bonescint.corrections.store.plane_files import planes_sha256
from napari_bonescint.errors import BonescintError
from napari_bonescint.formats.masks.label_tiff import read_labels
from napari_bonescint.inference.devices import choose_device
from napari_bonescint.measurement.files import MeasuredMasks, MeasureFiles
from napari_bonescint.measurement.measuring import CannotMeasure, measure_regions
from napari_bonescint.notices import on_command_line
from napari_bonescint.results import ResultError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from napari_bonescint.batch.job import Job
    from napari_bonescint.formats.opening import ScanOverrides
    from napari_bonescint.inference.model_card import ModelCard
    from napari_bonescint.inference.segmenter import Segmenter
    from napari_bonescint.measurement.files import RecordedMeasures
    from napari_bonescint.measurement.measures import Measured, Measures
    from napari_bonescint.results import Result
    from napari_bonescint.scan import Scan
    from napari_bonescint.segmentation import Segmentation

NO_REGIONS = "The model {} marks bone without naming regions; choose a model that names regions to measure a scan."
_SHARE_OF_SEGMENTING = 0.7


@dataclass(frozen=True)
class RegionMasks:
    """Region masks of a scan that exist already.

    Attributes
    ----------
    regions : ndarray of uint8, shape (view, y, x)
        Region codes.
    recorded : MeasuredMasks
        Their files and hash.
    models : dict of str to str
        The model that made them with its hash; empty for masks that the user gave.
    warnings : tuple of str
        Warnings of the segmentation.
    """

    regions: NDArray[np.uint8]
    recorded: MeasuredMasks
    models: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class OpenedScan:
    """What is read before a scan is measured.

    Attributes
    ----------
    scan : Scan
    masks : RegionMasks or None
        None if it must be segmented.
    before : Measured or None
        Its earlier measures, whose reader's verdicts stay.
    """

    scan: Scan
    masks: RegionMasks | None
    before: Measured | None = None


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
    """

    segmentation: Segmentation | None
    masks: RegionMasks
    measured: Measured
    seconds: float


class MeasuringEngine:
    """The models for measuring; the one for segmenting is loaded for the first scan without masks.

    Attributes
    ----------
    device : DeviceChoice
        The device and the reason for it.
    """

    def __init__(self, work: Measuring, turn: int) -> None:
        self.device = choose_device(work.device, turn)
        self._work = work
        self._turn = turn

    @cached_property
    def segmenter(self) -> Segmenter:
        """The loaded model for segmenting."""
        from napari_bonescint.inference.segmenter import Segmenter

        return Segmenter(self._work.card, self._work.device, turn=self._turn)


@dataclass(frozen=True)
class Measuring:
    """Measures scans, and keeps measures and masks that exist.

    Attributes
    ----------
    card : ModelCard
        The model for segmenting; it names regions.
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
    overrides : ScanOverrides
        The user's facts about scans whose files lack them.
    overwrite : bool
        True to measure scans again that have measures. Masks are replaced only if they were made with another model or
        other views.
    run : str
        Name of this run; see `Work`.
    masks : Path or None
        Folder of masks to measure with, instead of segmenting.
    """

    card: ModelCard
    device: str
    overrides: ScanOverrides
    overwrite: bool = False
    run: str = ""
    masks: Path | None = None

    verb: ClassVar[str] = "measure"
    done: ClassVar[str] = "measured"

    @property
    def models(self) -> Hashable:
        """Equal for works that can share an engine."""
        return self.done, self.card.name, self.card.weights_sha256, self.device, self.masks is None

    def main_file(self, result: Result) -> Path:
        """The path of a result that is printed for the user."""
        return MeasureFiles(result.folder, result.stem).facts

    @property
    def _model_hashes(self) -> dict[str, str]:
        """Hashes of the weights, by the name of the model: for segmenting, if it is used, and for hot spots."""
        segmenting = {self.card.name: self.card.weights_sha256} if self.masks is None else {}
        return {**segmenting, "thresholds": ""}

    def on_this_computer(self) -> Measuring:
        """The work with the model files of this computer."""
        return self if self.masks is not None else replace(self, card=card_here(self.card))

    def load(self, turn: int = 0) -> MeasuringEngine:
        """Load the models; for `turn` see `devices.choose_device`."""
        return MeasuringEngine(self, turn)

    def describe(self, engine: MeasuringEngine) -> str:
        """One sentence with the models, the device and the reason for it."""
        noun = "Model" if len(self._model_hashes) == 1 else "Models"
        return f"{noun} {' and '.join(self._model_hashes)}. {engine.device.reason}."

    def read(self, job: Job) -> OpenedScan | Outcome:
        """Read a scan and its masks; return an outcome if that is impossible, or if its measures exist already."""

        def attempt() -> OpenedScan | Outcome:
            scan = job.source.open(**self.overrides)
            files = MeasureFiles(job.result.folder, job.result.stem)
            there = _own_measures(job, files, scan)
            whole = there is not None and there.complete
            if there and whole and self.run and there.run == self.run:
                return self._measured(job, there.measures, there.seconds, there.warnings)
            if not self.overwrite and not whole:
                _require_room(files)
            masks = self._masks(job, scan, keeping=whole and not self.overwrite)
            if there and whole and not self.overwrite:
                sha256 = there.masks.sha256 if masks is None else masks.recorded.sha256
                differences = there.differences(scan, sha256, self._model_hashes)
                otherwise = f" (made with {', '.join(differences)}; --overwrite replaces it)" if differences else ""
                return Outcome(job.number, "kept", line=f"{job.name}: kept {files.facts}{otherwise}")
            return OpenedScan(scan, masks, _before(files) if there and whole else None)

        return unless_it_fails(job, self, attempt)

    def compute(
        self, job: Job, opened: OpenedScan, engine: Callable[[], MeasuringEngine], on_progress: Callable[[float], None]
    ) -> MeasuredNow | Outcome:
        """Segment a scan if it has no masks, and measure it; return an outcome if it fails."""

        def attempt() -> MeasuredNow:
            loaded = engine()
            segmentation, masks = None, opened.masks
            if masks is None:
                segmentation = loaded.segmenter.segment(
                    opened.scan, on_progress=lambda done: on_progress(_SHARE_OF_SEGMENTING * done)
                )
                masks = _new_masks(job, segmentation)
            start = time.perf_counter()
            measured = measure_regions(opened.scan, masks.regions, before=opened.before, models=masks.models)
            seconds = time.perf_counter() - start
            on_progress(1.0)
            return MeasuredNow(segmentation, masks, measured, seconds)

        return unless_it_fails(job, self, attempt)

    def write(self, job: Job, opened: OpenedScan, computed: MeasuredNow) -> Outcome:
        """Write the masks, if they are new, and the measures."""

        def attempt() -> Outcome:
            scan, masks, measured = opened.scan, computed.masks, computed.measured
            if computed.segmentation is not None:
                job.result.write(scan, computed.segmentation, run=self.run)
            MeasureFiles(job.result.folder, job.result.stem).write(
                *(scan, measured, masks.recorded),
                seconds=computed.seconds,
                warnings=masks.warnings,
                run=self.run,
            )
            warnings = [
                on_command_line(each) for each in (*scan.warnings, *masks.warnings, *measured.measures.warnings)
            ]
            return self._measured(job, measured.measures, computed.seconds, warnings)

        return unless_it_fails(job, self, attempt)

    def _masks(self, job: Job, scan: Scan, *, keeping: bool) -> RegionMasks | None:
        """The masks to measure with; None if the scan must be segmented.

        If the measures are being kept, masks that differ are no error.
        """
        if self.masks is not None:
            regions, names = read_given_masks(self.masks, job, scan, self.run)
            return RegionMasks(regions, MeasuredMasks(names, planes_sha256(regions), given=True))
        there = own_masks(job, scan)
        if there is None or not there.complete:
            if not keeping and not self.overwrite:
                require_room(job.result)
            return None
        differences = there.differences(scan, self.card.weights_sha256)
        if differences and not keeping and not self.overwrite:
            raise ResultError(
                f"{job.name}: {job.result.regions} was made with {', '.join(differences)}; --overwrite replaces it, "
                f"and --masks {job.result.folder} measures with it."
            )
        if differences or not job.result.regions.is_file():
            return None
        regions = read_labels(job.result.regions).masks
        recorded = MeasuredMasks((job.result.regions.name,), planes_sha256(regions))
        return RegionMasks(regions, recorded, {there.model: there.model_sha256}, there.warnings)

    def _measured(self, job: Job, measures: Measures, seconds: float, warnings: Sequence[str]) -> Outcome:
        complaints = tuple(f"warning: {job.name}: {warning}" for warning in dict.fromkeys(map(str, warnings)))
        suspicious = sum(spot.suspicious for spot in measures.hot_spots)
        line = (
            f"{job.name}: bone scan index {measures.index.total:.2f} %, {suspicious} of {len(measures.hot_spots)} hot "
            f"spots suspicious, in {seconds:.1f} s -> {self.main_file(job.result)}"
        )
        return Outcome(job.number, "measured", complaints, line)


def _new_masks(job: Job, segmentation: Segmentation) -> RegionMasks:
    if segmentation.regions is None:
        raise CannotMeasure(NO_REGIONS.format(segmentation.model))
    recorded = MeasuredMasks((job.result.regions.name,), planes_sha256(segmentation.regions))
    models = {segmentation.model: segmentation.model_sha256}
    return RegionMasks(segmentation.regions, recorded, models, segmentation.warnings)


def _before(files: MeasureFiles) -> Measured | None:
    """Measures that are going to be replaced; None if they cannot be read."""
    with suppress(BonescintError):
        return files.read()
    return None


def _own_measures(job: Job, files: MeasureFiles, scan: Scan) -> RecordedMeasures | None:
    """The existing measures of this scan, if any; `ResultError` if the files belong to another scan."""
    there = files.recorded()
    if there and there.source_sha256 != scan.source_sha256:
        raise of_another_scan(job, scan, files.facts, there.sources, there.source_sha256)
    return there


def _require_room(files: MeasureFiles) -> None:
    """Refuse to replace a table or image that no complete measures of bonescint contain."""
    for path in (files.regions, files.labels, files.hot_spots):
        if path.exists():
            raise ResultError(
                f"{path}: exists already, and {files.facts.name} does not describe it; move it, or use --overwrite."
            )
