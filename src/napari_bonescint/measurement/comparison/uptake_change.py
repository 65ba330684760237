"""Compare the uptake of hot spots with that of the same places in the other scan."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.ndimage import map_coordinates

from napari_bonescint.measurement.body import spacing_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from numpy.typing import NDArray

    from napari_bonescint.measurement.comparison.changes import MeasuredScan
    from napari_bonescint.measurement.comparison.matching import Group, Spot
    from napari_bonescint.measurement.comparison.registration import PartMap, Registration
    from napari_bonescint.scan import ViewName

# Noise of the logarithm of a ratio of excess uptake between repeat scans, fitted to unchanged lesions of simulated
# pairs: a share that all lesions have, an error of the normal counts, and an error of the place.
_NOISE = 0.10
_NORMAL_NOISE = 0.03
_PLACE_MM = 2.5
_LIMIT = 2.5
"""In standard deviations."""
# A hot spot as bright as normal bone has no excess, so no ratio.
_LEAST_EXCESS = 0.02


class UptakeChange(NamedTuple):
    """Change of the excess uptake of a lesion, within the outlines of both scans.

    Attributes
    ----------
    ratio : float
        Sum of the counts above normal in the new scan over that in the prior one.
    limit : float
        Lesions that did not change stay below this ratio, and above its inverse.
    """

    ratio: float
    limit: float


class BothScans(NamedTuple):
    """Two scans, the maps between them, and the factor of the prior's counts in each view."""

    new: MeasuredScan
    old: MeasuredScan
    registration: Registration
    prior_scale: Mapping[ViewName, float]

    def rise(self, spot: Spot, *, to_prior: bool) -> float | None:
        """Mean counts of a hot spot over those at its place in the other scan; None if its bone has no map."""
        found = self._read(spot, spot.thinned, to_prior=to_prior)
        return None if found is None else float(found.here.mean()) / max(float(found.there.mean()), 1e-6)

    def uptake_change(self, group: Group, views: Collection[ViewName]) -> UptakeChange | None:
        """Change of a lesion's excess uptake in some views; None if it has none, or its bones have no map.

        Excess is counts / normal counts - 1, summed over the area of the hot spots of both scans. Each outline is laid
        on both scans, so that its errors hardly count.
        """
        mine = self._excess(group.new, views, to_prior=True)
        others = self._excess(group.old, views, to_prior=False)
        if mine is None or others is None:
            return None
        new, old = mine.here + others.there, mine.there + others.here
        area = (mine.area + others.area) / 2
        level = (new + old) / 2 / (mine.area + others.area)
        if level < _LEAST_EXCESS:
            return None
        least = _LEAST_EXCESS * area
        variance = (
            _NOISE**2
            + (_NORMAL_NOISE * (1 + level) / level) ** 2
            + _PLACE_MM**2 / area
            + sum(((1 + level) / level) ** 2 / max(each.counts, 1.0) for each in (mine, others))
        )
        return UptakeChange(max(new, least) / max(old, least), float(np.exp(_LIMIT * np.sqrt(variance))))

    def _excess(self, spots: Iterable[Spot], views: Collection[ViewName], *, to_prior: bool) -> _Excess | None:
        here = there = area = counts = 0.0
        for spot in spots:
            found = self._read(spot, spot.places, to_prior=to_prior) if spot.key.view in views else None
            if found is None or spot.facts.mean_ratio <= 0:
                continue
            normal = max(float(found.here.mean()), 1e-6) / spot.facts.mean_ratio
            mm2 = float(np.prod(spacing_of((self.new if to_prior else self.old).scan)))
            here += float((found.here / normal - 1).sum()) * mm2
            there += float((found.there / normal - 1).sum()) * mm2
            area += len(spot.places) * mm2
            counts += float(found.here.sum())
        return _Excess(here, there, area, counts) if area else None

    def _read(self, spot: Spot, places: NDArray[np.float64], *, to_prior: bool) -> _Counts | None:
        """Counts at places (n, 2) of a hot spot in its own scan and, made equal, in the other one."""
        scale, mapped = self.prior_scale.get(spot.part.view), self.registration.of(spot.part)
        if scale is None or mapped is None:
            return None
        own, other = (self.new, self.old) if to_prior else (self.old, self.new)
        rows, columns = places.astype(int).T
        there = map_coordinates(_plane(other, spot), _carried(mapped, places, to_prior), order=1, mode="nearest")
        return _Counts(_plane(own, spot)[rows, columns], there * (scale if to_prior else 1 / scale))


class _Counts(NamedTuple):
    here: NDArray[np.float32]
    there: NDArray[np.float32]


class _Excess(NamedTuple):
    """Excess uptake in the own and in the other scan, in mm² of normal bone; area and counts of the hot spots."""

    here: float
    there: float
    area: float
    counts: float


def _carried(mapped: PartMap, places: NDArray[np.float64], to_prior: bool) -> NDArray[np.float64]:
    return (mapped.to_prior if to_prior else mapped.to_new)(places).T


def _plane(each: MeasuredScan, spot: Spot) -> NDArray[np.float32]:
    index = [view.name for view in each.scan.views].index(spot.part.view)
    return np.asarray(each.scan.counts[index], np.float32)
