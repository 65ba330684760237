"""Masks and measures of a scan that exist already, so that they need not be computed."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from napari_bonescint.batch.given_masks import NoMask, read_given_masks
from napari_bonescint.batch.segmenting import of_another_scan, own_masks, require_room
from napari_bonescint.corrections.store.files.plane_files import planes_sha256
from napari_bonescint.errors import BonescintError
from napari_bonescint.formats.masks.label_tiff import read_labels
from napari_bonescint.measurement.files import MeasuredMasks, MeasureFiles
from napari_bonescint.results import ResultError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from napari_bonescint.batch.job import Job
    from napari_bonescint.inference.model_card import ModelCard
    from napari_bonescint.measurement.files import RecordedMeasures
    from napari_bonescint.measurement.measures import Measured
    from napari_bonescint.scan import Scan


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
    kept : bool
        True if `before` are the measures, and nothing is measured again.
    priors : tuple of OpenedScan
        Earlier scans to compare with, the oldest first.
    problems : tuple of str
        Sentences about prior scans, which are then left out.
    """

    scan: Scan
    masks: RegionMasks | None
    before: Measured | None = None
    kept: bool = False
    priors: tuple[OpenedScan, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class AtHand:
    """Finds the masks and measures that exist already.

    Attributes
    ----------
    card : ModelCard
        The model for segmenting.
    folder : Path or None
        Folder of masks to measure with, instead of segmenting.
    hot_spots : mapping of str to str
        Name and hash of the model for hot spots.
    run : str
        Name of the run.
    """

    card: ModelCard
    folder: Path | None
    hot_spots: Mapping[str, str]
    run: str

    @property
    def models(self) -> dict[str, str]:
        """Hashes of the weights, by the name of the model: for segmenting, if it is used, and for hot spots."""
        segmenting = {self.card.name: self.card.weights_sha256} if self.folder is None else {}
        return {**segmenting, **self.hot_spots}

    def required_masks(self, job: Job, scan: Scan, *, keeping: bool, overwrite: bool) -> RegionMasks | None:
        """The masks to measure a scan with; None if it must be segmented.

        Masks that were made otherwise, or are of unknown origin, are a `ResultError`, unless measures are being kept or
        results overwritten.
        """
        if self.folder is not None:
            return self._given(self.folder, job, scan)
        there = own_masks(job, scan)
        if there is None or not there.complete:
            if not keeping and not overwrite:
                require_room(job.result)
            return None
        differences = there.differences(scan, self.card.weights_sha256)
        if differences and not keeping and not overwrite:
            raise ResultError(
                f"{job.name}: {job.result.regions} was made with {', '.join(differences)}; --overwrite replaces it, "
                f"and --masks {job.result.folder} measures with it."
            )
        if differences or not job.result.regions.is_file():
            return None
        regions = read_labels(job.result.regions).masks
        recorded = MeasuredMasks((job.result.regions.name,), planes_sha256(regions))
        return RegionMasks(regions, recorded, {there.model: there.model_sha256}, there.warnings)

    def opened(self, job: Job, scan: Scan) -> OpenedScan:
        """A scan with masks and measures, as far as they exist and were made as they would be made now."""
        masks = None
        with suppress(NoMask, ResultError):
            masks = self.required_masks(job, scan, keeping=True, overwrite=False)
        if masks is None and self.folder is not None:
            # A prior scan without a given mask, which may still be segmented.
            with suppress(ResultError):
                masks = replace(self, folder=None).required_masks(job, scan, keeping=True, overwrite=False)
        if masks is None:
            return OpenedScan(scan, None)
        files = MeasureFiles(job.result.folder, job.result.stem)
        with suppress(BonescintError):
            there = own_measures(job, files, scan)
            wanted = {**masks.models, **self.hot_spots}
            if there and there.complete and not there.differences(scan, masks.recorded.sha256, wanted):
                return OpenedScan(scan, masks, files.read(), kept=True)
        return OpenedScan(scan, masks)

    def _given(self, folder: Path, job: Job, scan: Scan) -> RegionMasks:
        regions, names = read_given_masks(folder, job, scan, self.run)
        return RegionMasks(regions, MeasuredMasks(names, planes_sha256(regions), given=True))


def measures_before(files: MeasureFiles) -> Measured | None:
    """Measures that exist; None if they cannot be read."""
    with suppress(BonescintError):
        return files.read()
    return None


def own_measures(job: Job, files: MeasureFiles, scan: Scan) -> RecordedMeasures | None:
    """The existing measures of this scan, if any; `ResultError` if the files belong to another scan."""
    there = files.recorded()
    if there and there.source_sha256 != scan.source_sha256:
        raise of_another_scan(job, scan, files.facts, there.sources, there.source_sha256)
    return there


def require_room_for_measures(files: MeasureFiles) -> None:
    """Refuse to replace a table or image that no complete measures of bonescint contain."""
    for path in (files.regions, files.labels, files.hot_spots):
        if path.exists():
            raise ResultError(
                f"{path}: exists already, and {files.facts.name} does not describe it; move it, or use --overwrite."
            )
