"""Measure a scan: uptake, hot spots, the bone scan index and ratios, in one call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from napari_bonescint.errors import BonescintError
from napari_bonescint.measurement.bone_scan_index import bone_scan_index
from napari_bonescint.measurement.counts import saturation_warnings
from napari_bonescint.measurement.description import describe_hot_spots
from napari_bonescint.measurement.detection.candidates import find_hot_spots, threshold_classes
from napari_bonescint.measurement.examination import examine
from napari_bonescint.measurement.hot_spots.carrying import carried
from napari_bonescint.measurement.measures import Measured, Measures
from napari_bonescint.measurement.ratios import measure_ratios
from napari_bonescint.measurement.uptake import foreign_uptake_warnings, measure_uptake

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from napari_bonescint.measurement.measures import HotSpotVerdict, UptakeClasses
    from napari_bonescint.scan import Scan, ViewName
    from napari_bonescint.segmentation import Segmentation

_NO_SPACING = "The pixel spacing is unknown; set it to get areas in mm²."


class CannotMeasure(BonescintError):
    """A scan, or its masks, cannot be measured."""


class Detector(Protocol):
    """What finds uptake above that of healthy bone, such as `detection.detector.HotSpotDetector`."""

    def classify(
        self,
        scan: Scan,
        regions: NDArray[np.uint8],
        *,
        on_progress: Callable[[float], None],
        is_cancelled: Callable[[], bool],
    ) -> UptakeClasses:
        """Compute the probabilities of each pixel."""


def _ignore(_: float) -> None:
    pass


def _never() -> bool:
    return False


def measure(
    scan: Scan,
    segmentation: Segmentation,
    detector: Detector | None = None,
    *,
    before: Measured | None = None,
    on_progress: Callable[[float], None] = _ignore,
    is_cancelled: Callable[[], bool] = _never,
) -> Measured:
    """Measure a scan that a model segmented.

    Parameters
    ----------
    scan : Scan
        The scan.
    segmentation : Segmentation
        Its regions, from a model that names regions.
    detector : Detector, optional
        What finds hot spots; by default thresholds, which need no network.
    before : Measured, optional
        Earlier measures of the same scan, whose reader's verdicts stay.
    on_progress : callable
        Called with the share of the work done, from 0 to 1.
    is_cancelled : callable
        Asked now and then whether to stop.

    Raises
    ------
    CannotMeasure
        If the model names no regions, or found no bone.
    Cancelled
        If `is_cancelled` turned true.
    """
    if segmentation.regions is None:
        raise CannotMeasure(
            f"{scan.name}: The model {segmentation.model} marks bone without naming regions; segment the scan with a "
            "model that names regions to measure it."
        )
    return measure_regions(
        scan,
        segmentation.regions,
        detector,
        before=before,
        models={segmentation.model: segmentation.model_sha256},
        on_progress=on_progress,
        is_cancelled=is_cancelled,
    )


def measure_regions(
    scan: Scan,
    regions: NDArray[np.uint8],
    detector: Detector | None = None,
    *,
    before: Measured | None = None,
    models: Mapping[str, str] | None = None,
    on_progress: Callable[[float], None] = _ignore,
    is_cancelled: Callable[[], bool] = _never,
) -> Measured:
    """Measure a scan whose regions are known, as from a person; see `measure`.

    Parameters
    ----------
    scan : Scan
        The scan.
    regions : ndarray of uint8, shape (view, y, x)
        Region codes.
    detector : Detector, optional
        What finds hot spots; by default thresholds, which need no network.
    before : Measured, optional
        Earlier measures of the same scan, whose reader's verdicts stay.
    models : mapping of str to str, optional
        Names of the models that made the regions, with the hashes of their weights.
    on_progress, is_cancelled : callable
        As for `measure`.
    """
    _require_fitting(scan, regions)
    if detector is None:
        classes = threshold_classes(scan, regions)
    else:
        classes = detector.classify(scan, regions, on_progress=on_progress, is_cancelled=is_cancelled)
    labels, classes = find_hot_spots(scan, regions, classes)
    all_models = {**(models or {}), classes.model: classes.model_sha256}
    return Measured(labels, remeasure(scan, regions, labels, before=before, classes=classes, models=all_models))


def remeasure(
    scan: Scan,
    regions: NDArray[np.uint8],
    labels: NDArray[np.uint16],
    decided: Mapping[tuple[ViewName, int], HotSpotVerdict] | None = None,
    *,
    before: Measured | None = None,
    classes: UptakeClasses | None = None,
    models: Mapping[str, str] | None = None,
) -> Measures:
    """Measure a scan whose hot spots are known, as after a person's edit.

    Parameters
    ----------
    scan : Scan
        The scan.
    regions : ndarray of uint8, shape (view, y, x)
        Region codes.
    labels : ndarray of uint16, shape (view, y, x)
        Hot spots, numbered within a view from 1.
    decided : mapping of (ViewName, int) to HotSpotVerdict, optional
        Verdicts by view and label; all others are the model's or the rule's.
    before : Measured, optional
        The measures before the edit. A spot that overlaps an earlier one keeps the reader's verdict and the
        probability of that, whatever its new label, unless `decided` or `classes` have newer ones.
    classes : UptakeClasses, optional
        Probabilities of each pixel.
    models : mapping of str to str, optional
        Names of the models with the hashes of their weights; by default those of `before`.

    Raises
    ------
    CannotMeasure
        If the masks do not fit the scan, or show no bone.
    """
    _require_fitting(scan, regions, labels)
    verdicts, probabilities = ({}, {}) if before is None else carried(before, labels, scan.views)
    examined = examine(scan, regions)
    normals = examined.normals(labels)
    spots = describe_hot_spots(
        scan,
        regions,
        labels,
        classes,
        {**verdicts, **(decided or {})},
        probabilities=probabilities,
        examined=examined,
        normals=normals,
    )
    return Measures(
        regions=measure_uptake(scan, regions, examined),
        hot_spots=spots,
        index=bone_scan_index(regions, labels, spots, scan.views),
        ratios=measure_ratios(scan, examined, labels, normals),
        models=models if models is not None else before.measures.models if before is not None else {},
        absent=_absent(scan, examined.no_counts),
        warnings=(*saturation_warnings(scan), *foreign_uptake_warnings(scan, examined)),
    )


def _require_fitting(scan: Scan, regions: NDArray[np.uint8], labels: NDArray[np.uint16] | None = None) -> None:
    for name, mask in (("regions", regions), ("hot spots", labels)):
        if mask is not None and mask.shape != scan.counts.shape:
            sizes = " and ".join(" x ".join(map(str, shape)) for shape in (mask.shape, scan.counts.shape))
            raise CannotMeasure(f"{scan.name}: The mask of the {name} does not fit the scan: {sizes} pixels.")
    if not regions.any():
        raise CannotMeasure(f"{scan.name}: The mask shows no bone, so there is nothing to measure; segment the scan.")


def _absent(scan: Scan, no_counts: str) -> dict[str, str]:
    """Names of the quantities that the input does not allow, with the reason."""
    absent = {} if scan.spacing is not None else {"area_mm2": _NO_SPACING}
    if no_counts:
        absent |= dict.fromkeys(("counts", "mean_counts", "share_of_counts", "left_right_ratio"), no_counts)
    return absent
