"""Make the results of a scan that go back to an archive: masks as DICOM SEG, and measures with their report."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from napari_bonescint.formats.masks.dicom_seg import Author, write_dicom_seg
from napari_bonescint.inference.model_card import ModelError

if TYPE_CHECKING:
    from pathlib import Path

    from napari_bonescint.formats.opening import ScanSource
    from napari_bonescint.inference.model_card import ModelCard
    from napari_bonescint.inference.segmenter import Segmenter
    from napari_bonescint.measurement.detection.detector import HotSpotDetector


@dataclass(frozen=True)
class ScanResults:
    """Segments scans, and measures them if wanted; the model is loaded for the first scan.

    Attributes
    ----------
    card : ModelCard
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
    measures : bool
        Whether to measure and report, too.
    hot_spots : ModelCard or None
        The model that finds hot spots; None for thresholds.
    """

    card: ModelCard
    device: str
    measures: bool = False
    hot_spots: ModelCard | None = None

    def __post_init__(self) -> None:
        if self.measures and not self.card.names_regions:
            raise ModelError(f"The model {self.card.name} names no regions; choose one that does to measure scans.")

    @property
    def name(self) -> str:
        """The models' hashes and the steps."""
        if not self.measures:
            return f"{self.card.weights_sha256} segmented"
        found_by = "thresholds" if self.hot_spots is None else self.hot_spots.weights_sha256
        return f"{self.card.weights_sha256} {found_by} measured"

    @cached_property
    def _segmenter(self) -> Segmenter:
        # The import loads PyTorch or OpenVINO.
        from napari_bonescint.inference.segmenter import Segmenter

        return Segmenter(self.card, self.device)

    @cached_property
    def _detector(self) -> HotSpotDetector | None:
        if self.hot_spots is None:
            return None
        from napari_bonescint.measurement.detection.detector import HotSpotDetector

        return HotSpotDetector(self.hot_spots)

    def __call__(self, source: ScanSource, folder: Path) -> list[Path]:
        """Write the results of a scan into an empty folder."""
        scan = source.open()
        segmentation = self._segmenter.segment(scan)
        names_regions = segmentation.regions is not None
        regions = segmentation.skeleton if segmentation.regions is None else segmentation.regions
        masks = folder / "scan.bones.dcm"
        write_dicom_seg(masks, scan, regions, names_regions=names_regions, author=Author(segmentation.model))
        if not self.measures:
            return [masks]
        # Imported here, since pages take long to import.
        from napari_bonescint.measurement.measuring import measure_regions
        from napari_bonescint.measurement.report.options import ReportOptions
        from napari_bonescint.measurement.report.writing import write_report

        models = {segmentation.model: segmentation.model_sha256}
        measured = measure_regions(scan, regions, self._detector, models=models)
        options = ReportOptions(pdf=False, html=False)
        written = write_report(folder, "scan", scan, regions, measured, options=options)
        return [masks, *sorted(path for path in written if path.suffix == ".dcm")]
