"""Score hot spots on simulated scans, whose lesions are known: sensitivity against false alarms.

The truth is pieces of pixels in which metastases raise the expected counts by 30 % and more. A piece counts if it could
be seen: its extra counts are above 5 standard deviations of the others, and its peak is above 50 %. Fainter pieces are
neither right nor wrong. A piece is found if a hot spot comes within 2 pixels of it; a hot spot that comes near no
metastasis is a false alarm, also on a fracture, a worn joint or Paget's disease.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from napari_bonescint.anatomy import REGIONS
from napari_bonescint.scan import ViewName
from napari_bonescint.simulation.pathology import LesionKind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from napari_bonescint.measurement.measures import HotSpot, Measured
    from napari_bonescint.simulation.case import Case

LEAST_RATIO = 0.3
"""A pixel belongs to a lesion if lesions raise its expected counts by this ratio."""

_LEAST_PEAK = 0.5
_LEAST_DEVIATIONS = 5.0
_NEAR_PIXELS = 2
_NEIGHBOURS = np.ones((3, 3), bool)


@dataclass(frozen=True)
class Piece:
    """A true piece of metastasis in one view.

    Attributes
    ----------
    region : str
        The region with most of its pixels.
    area_mm2 : float
    total_counts : float
        Expected counts of both views of the scan, without excreted tracer.
    found : float
        The highest score of the hot spots that come near it; minus infinity without any.
    is_marked : bool
        Whether a suspicious hot spot comes near it.
    """

    region: str
    area_mm2: float
    total_counts: float
    found: float
    is_marked: bool


@dataclass(frozen=True)
class ScoredScan:
    """The pieces of one scan, the scores of its false alarms, and the number of false alarms that are suspicious."""

    pieces: tuple[Piece, ...]
    false_alarms: tuple[float, ...]
    marked_alarms: int

    @property
    def has_metastases(self) -> bool:
        """Whether the scan shows a metastasis that counts."""
        return bool(self.pieces)


@dataclass(frozen=True)
class OperatingPoint:
    """Sensitivity, and false alarms a scan, of the hot spots with at least some score, or None: the suspicious ones.

    `false_alarms_clean` is that of the scans without metastases; None if there are none.
    """

    score: float | None
    sensitivity: float
    false_alarms: float
    false_alarms_clean: float | None


def true_pieces(case: Case, total: float) -> NDArray[np.int16]:
    """Pieces of metastases (view, y, x), numbered within a view from 1; -1 for those that could not be seen.

    `total` is the expected counts of both views, without excreted tracer, as for `Case.count`.
    """
    ratio = np.zeros(case.regions.size, np.float32)
    for lesion in case.lesions:
        if lesion.kind is LesionKind.METASTASIS:
            ratio[lesion.pixels] += lesion.ratio.astype(np.float32)
    mean = case.expected.sum(axis=0) * (total / max(float(case.expected[:-1].sum()), 1e-9))
    ratios = ratio.reshape(case.regions.shape)
    return np.stack([visible_pieces(*view) for view in zip(ratios, mean, strict=True)])


def visible_pieces(ratio: NDArray[np.floating], mean: NDArray[np.floating]) -> NDArray[np.int16]:
    """Pieces of metastases (y, x) in one view, numbered from 1; -1 for those that could not be seen.

    Parameters
    ----------
    ratio : ndarray of shape (y, x)
        Counts that metastases add, relative to the others.
    mean : ndarray of shape (y, x)
        Expected counts, with those of metastases.
    """
    labels, number = ndimage.label(ratio >= LEAST_RATIO, _NEIGHBOURS)
    index = np.arange(1, number + 1)
    rest, both = (ndimage.sum(image, labels, index) for image in (mean / (1 + ratio), mean))
    peak = ndimage.maximum(ratio, labels, index) if number else np.zeros(0)
    seen = (both - rest > _LEAST_DEVIATIONS * np.sqrt(rest)) & (np.asarray(peak) > _LEAST_PEAK)
    renumbered = np.concatenate([[0], np.where(seen, np.cumsum(seen), -1)]).astype(np.int16)
    pieces: NDArray[np.int16] = renumbered[labels]
    return pieces


def suspicion(spot: HotSpot) -> float:
    """The score of a hot spot: the probability of a metastasis, or without a model the peak over normal bone."""
    return spot.peak_ratio if spot.probability is None else spot.probability


def score_scan(measured: Measured, case: Case, total: float) -> ScoredScan:
    """Score the hot spots of a counted case, of expected counts `total`."""
    truth = true_pieces(case, total)
    pieces: list[Piece] = []
    false_alarms: list[float] = []
    marked_alarms = 0
    for name, labels, true, regions in zip(ViewName, measured.labels, truth, case.regions, strict=True):
        scores = np.full(int(labels.max(initial=0)) + 1, -np.inf)
        marked = np.zeros(len(scores), bool)
        for spot in measured.measures.hot_spots:
            if spot.view is name:
                scores[spot.id], marked[spot.id] = suspicion(spot), spot.suspicious
        near = _spread(true != 0)
        alarms = np.setdiff1d(np.unique(labels), [0, *np.unique(labels[near])])
        false_alarms += scores[alarms].tolist()
        marked_alarms += int(marked[alarms].sum())
        for piece in range(1, int(true.max(initial=0)) + 1):
            own = true == piece
            around = np.setdiff1d(np.unique(labels[_spread(own)]), [0])
            code = int(np.bincount(regions[own], minlength=len(REGIONS)).argmax())
            pieces.append(
                Piece(
                    region=REGIONS[code].name,
                    area_mm2=float(own.sum()) * case.pixel_mm**2,
                    total_counts=total,
                    found=float(scores[around].max(initial=-np.inf)),
                    is_marked=bool(marked[around].any()),
                )
            )
    return ScoredScan(tuple(pieces), tuple(false_alarms), marked_alarms)


def touching(labels: NDArray[np.uint16], case: Case, total: float) -> list[dict[int, bool | None]]:
    """For each view, whether each hot spot of labels (view, y, x) comes near a metastasis that could be seen.

    None for one that comes near none but such as could not be seen: it is neither right nor wrong.
    """
    touches: list[dict[int, bool | None]] = []
    for spots, true in zip(labels, true_pieces(case, total), strict=True):
        near_any, near_seen = (set(np.unique(spots[_spread(mask)]).tolist()) for mask in (true != 0, true > 0))
        each = set(np.unique(spots).tolist()) - {0}
        touches.append({spot: True if spot in near_seen else None if spot in near_any else False for spot in each})
    return touches


def operating_point(
    scans: Sequence[ScoredScan], score: float | None = None, chosen: Callable[[Piece], bool] = lambda _: True
) -> OperatingPoint:
    """Sensitivity, for chosen pieces, and false alarms, of hot spots with at least this score or suspicious ones."""
    pieces = [piece for scan in scans for piece in scan.pieces if chosen(piece)]
    if score is None:
        hits, alarms = [piece.is_marked for piece in pieces], [scan.marked_alarms for scan in scans]
    else:
        hits = [piece.found >= score for piece in pieces]
        alarms = [sum(alarm >= score for alarm in scan.false_alarms) for scan in scans]
    clean = [number for number, scan in zip(alarms, scans, strict=True) if not scan.has_metastases]
    return OperatingPoint(
        score=score,
        sensitivity=sum(hits) / len(hits) if hits else float("nan"),
        false_alarms=sum(alarms) / len(alarms),
        false_alarms_clean=sum(clean) / len(clean) if clean else None,
    )


def free_response(scans: Sequence[ScoredScan], points: int = 50) -> list[OperatingPoint]:
    """Operating points for scores from the highest to the lowest: the free-response curve."""
    scores = np.sort(
        [score for scan in scans for score in scan.false_alarms]
        + [piece.found for scan in scans for piece in scan.pieces if np.isfinite(piece.found)]
    )
    if not len(scores):
        return []
    chosen = np.unique(scores[np.linspace(0, len(scores) - 1, min(points, len(scores))).astype(int)])
    return [operating_point(scans, float(score)) for score in chosen[::-1]]


def _spread(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels within two pixels of a mask (y, x), by steps along rows and columns."""
    spread: NDArray[np.bool_] = ndimage.binary_dilation(mask, iterations=_NEAR_PIXELS) if mask.any() else mask
    return spread
