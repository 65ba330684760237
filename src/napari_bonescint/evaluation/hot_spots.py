"""How well hot spots are found: free response on simulated scans, by size, region and counts, beside thresholds."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

from napari_bonescint.anatomy import REGIONS
from napari_bonescint.measurement.measuring import measure_regions
from napari_bonescint.measurement.scoring import OperatingPoint, free_response, operating_point, score_scan
from napari_bonescint.simulation.case import Case
from napari_bonescint.simulation.splits import seed_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari_bonescint.evaluation.reference_sets import SimulatedSet
    from napari_bonescint.inference.segmenter import Segmenter
    from napari_bonescint.measurement.detection.detector import HotSpotDetector
    from napari_bonescint.measurement.scoring import Piece, ScoredScan

THRESHOLDS = "thresholds"
"""Name of the method without a network."""

_SIZES_MM2 = (0.0, 150.0, 300.0, 600.0, float("inf"))
_MILLIONS = (0.0, 1.0, 2.0, 4.0, float("inf"))
_GROUPS_OF_REGIONS = {
    "spine": ("cervical_spine", "thoracic_spine", "lumbar_spine"),
    "pelvis and sacrum": ("pelvis", "sacrum"),
    "ribs and sternum": ("ribs", "sternum"),
    "skull": ("skull",),
    "limbs and shoulder": ("clavicle", "scapula", "humerus", "forearm", "hand", "femur", "lower_leg", "foot"),
    "beside bone": (REGIONS[0].name,),
}


@dataclass(frozen=True)
class GroupSensitivity:
    """Sensitivity for some of the pieces: `of` names the kind of group, ``size``, ``region`` or ``counts``."""

    of: str
    group: str
    pieces: int
    sensitivity: float


@dataclass(frozen=True)
class FoundHotSpots:
    """Hot spots of one method.

    Attributes
    ----------
    method : str
        Name of the model, or ``thresholds``.
    weights_sha256 : str
        Hash of the weights; empty without a model.
    sensitivity, false_alarms : float
        Of the suspicious hot spots: share of the pieces found, and false alarms a scan.
    false_alarms_clean : float or None
        False alarms a scan in scans without metastases.
    groups : tuple of GroupSensitivity
    curve : tuple of OperatingPoint
        The free-response curve, for suspicious and other hot spots together.
    seconds : float
        Median time of measuring a scan of two views.
    """

    method: str
    weights_sha256: str
    sensitivity: float
    false_alarms: float
    false_alarms_clean: float | None
    groups: tuple[GroupSensitivity, ...]
    curve: tuple[OperatingPoint, ...]
    seconds: float


@dataclass(frozen=True)
class HotSpotResults:
    """Hot spots of all methods on one set.

    Attributes
    ----------
    name, origin, data_sha256 : str
        As of the set.
    segmented_by : str
        The model that segmented the scans.
    scans, clean, pieces : int
        Number of scans, of those without metastases, and of pieces of metastases.
    measured : str
        Date, ISO 8601.
    methods : tuple of FoundHotSpots
    """

    name: str
    origin: str
    data_sha256: str
    segmented_by: str
    scans: int
    clean: int
    pieces: int
    measured: str
    methods: tuple[FoundHotSpots, ...]

    def holds(self, data_sha256: str, weights_sha256: Sequence[str]) -> bool:
        """True if these are the results of models with these weights on a set with this hash."""
        known = {found.weights_sha256 for found in self.methods}
        return self.data_sha256 == data_sha256 and known.issuperset(weights_sha256)


def score_hot_spots(
    references: SimulatedSet,
    segmenter: Segmenter,
    detectors: Sequence[HotSpotDetector | None],
    advance: Callable[[], object] = lambda: None,
) -> HotSpotResults:
    """Segment the scans of a set, find their hot spots by each method, and score them.

    Parameters
    ----------
    references : SimulatedSet
    segmenter : Segmenter
        A model that names regions.
    detectors : sequence of HotSpotDetector or None
        One for each method; None for thresholds.
    advance : callable
        Called after each scan.
    """
    scored: list[list[ScoredScan]] = [[] for _ in detectors]
    seconds: list[list[float]] = [[] for _ in detectors]
    for path in references.paths:
        case, seed = Case.load(path), seed_of(path)
        scan, total = references.split.scan(case, seed), references.split.total(seed)
        regions = segmenter.segment(scan).regions
        if regions is None:
            raise ValueError(f"{segmenter.card.name} names no regions")
        for index, detector in enumerate(detectors):
            began = time.perf_counter()
            measured = measure_regions(scan, regions, detector)
            seconds[index].append(time.perf_counter() - began)
            scored[index].append(score_scan(measured, case, total))
        advance()
    found = [
        _found(detector, scans, statistics.median(times))
        for detector, scans, times in zip(detectors, scored, seconds, strict=True)
    ]
    return HotSpotResults(
        name=references.name,
        origin=references.origin,
        data_sha256=references.sha256(),
        segmented_by=segmenter.card.name,
        scans=len(references),
        clean=sum(not scan.has_metastases for scan in scored[0]),
        pieces=sum(len(scan.pieces) for scan in scored[0]),
        measured=datetime.now(UTC).date().isoformat(),
        methods=tuple(found),
    )


def _found(detector: HotSpotDetector | None, scans: Sequence[ScoredScan], seconds: float) -> FoundHotSpots:
    point = operating_point(scans)
    pieces = [piece for scan in scans for piece in scan.pieces]
    groups = [
        GroupSensitivity(of, group, sum(map(chosen, pieces)), operating_point(scans, chosen=chosen).sensitivity)
        for of, group, chosen in _groups()
        if any(map(chosen, pieces))
    ]
    return FoundHotSpots(
        method=THRESHOLDS if detector is None else detector.card.name,
        weights_sha256="" if detector is None else detector.card.weights_sha256,
        sensitivity=point.sensitivity,
        false_alarms=point.false_alarms,
        false_alarms_clean=point.false_alarms_clean,
        groups=tuple(groups),
        curve=tuple(free_response(scans)),
        seconds=seconds,
    )


def _groups() -> list[tuple[str, str, Callable[[Piece], bool]]]:
    """Kind and name of each group of pieces, and whether a piece is in it."""
    sizes = [("size", _range(*ends, "mm²"), partial(_is_sized, ends)) for ends in pairwise(_SIZES_MM2)]
    regions = [("region", name, partial(_is_in, members)) for name, members in _GROUPS_OF_REGIONS.items()]
    counts = [("counts", _range(*ends, "million counts"), partial(_is_counted, ends)) for ends in pairwise(_MILLIONS)]
    return [*sizes, *regions, *counts]


def _is_sized(ends: tuple[float, float], piece: Piece) -> bool:
    return ends[0] <= piece.area_mm2 < ends[1]


def _is_in(regions: tuple[str, ...], piece: Piece) -> bool:
    return piece.region in regions


def _is_counted(ends: tuple[float, float], piece: Piece) -> bool:
    return ends[0] <= piece.total_counts / 1e6 < ends[1]


def _range(low: float, high: float, unit: str) -> str:
    if low == 0:
        return f"under {high:g} {unit}"
    return f"{low:g} {unit} and more" if high == float("inf") else f"{low:g} to {high:g} {unit}"
