"""The prior scan in the position of the new one: to blink, and as a difference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from napari_bonescint.inference.preprocessing import ASSUMED_SPACING_MM
from napari_bonescint.measurement.bones import SIDES
from napari_bonescint.measurement.comparison.registration import part_images

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from napari_bonescint.measurement.comparison.changes import Comparison, MeasuredScan
    from napari_bonescint.measurement.comparison.registration import PartMap, Registration
    from napari_bonescint.scan import ViewName

_BLEND_MM = 15.0
_BODY_MM = 120.0
_SMOOTH_MM = 6.0
_STEP_MM = 8.0


@dataclass(frozen=True)
class WarpedPrior:
    """A prior scan, resampled on the new scan's pixels.

    Attributes
    ----------
    counts : ndarray of float32, shape (view, y, x)
        Counts of the prior scan in the position of the new one, multiplied by `Comparison.prior_scale` and by the ratio
        of pixel areas, so that bone without hot spots looks alike; NaN where the prior scan has no pixel.
    difference : ndarray of float32, shape (view, y, x)
        New minus prior, both smoothed to 6 mm, in units of the median of the new scan's bone without hot spots: 1 means
        as much more as normal bone shows at all. NaN where the prior scan has no pixel.
    """

    counts: NDArray[np.float32]
    difference: NDArray[np.float32]


def warp_prior(new: MeasuredScan, old: MeasuredScan, comparison: Comparison) -> WarpedPrior:
    """Resample a prior scan on the new scan's pixels.

    Between bones, the maps of the regions are blended by their distance, so the image has no seams. The warped image is
    made to be looked at: lesions are matched without it.

    Parameters
    ----------
    new, old : MeasuredScan
        The new and the prior scan.
    comparison : Comparison
        Their comparison.

    Returns
    -------
    WarpedPrior
        A view that only the new scan has is NaN.
    """
    counts = np.full(new.scan.counts.shape, np.nan, np.float32)
    difference = counts.copy()
    parts = part_images(new.regions, new.scan.views)
    old_views = [view.name for view in old.scan.views]
    for index, view in enumerate(view.name for view in new.scan.views):
        scale = comparison.prior_scale.get(view)
        if scale is None:
            continue
        where = _places_in_prior(view, parts[view], _mm(new), comparison.registration)
        prior = old.scan.counts[old_views.index(view)].astype(np.float32)
        counts[index] = scale * ndimage.map_coordinates(prior, where, order=1, cval=np.nan)
        mine = ndimage.gaussian_filter(new.scan.counts[index].astype(np.float32), _SMOOTH_MM / _mm(new))
        smoothed = ndimage.gaussian_filter(prior, _SMOOTH_MM / _mm(old))
        carried = scale * ndimage.map_coordinates(smoothed, where, order=1, cval=np.nan)
        free = (new.regions[index] > 0) & (new.measured.labels[index] == 0)
        unit = float(np.median(mine[free])) if free.any() else 0.0
        difference[index] = (mine - carried) / max(unit, 1e-6)
    return WarpedPrior(counts, difference)


def prior_scale(new: MeasuredScan, old: MeasuredScan, registration: Registration) -> dict[ViewName, float]:
    """The factor of the prior's counts in each common view.

    It is the median over the bones of the ratio of their mean counts without hot spots, weighted by area.
    """
    means = [_means_without_hot_spots(each) for each in (new, old)]
    scales = {}
    for view in registration.bodies:
        ratios, areas = [], []
        for part in registration.parts:
            if part.view is view and registration.of(part) is not None:
                (mine, area), (other, _) = (mean.get((view, part.code, part.side), (0.0, 0)) for mean in means)
                if mine > 0 and other > 0:
                    ratios.append(mine / other)
                    areas.append(area)
        scales[view] = _weighted_median(np.array(ratios), np.array(areas)) if ratios else 1.0
    return scales


def _means_without_hot_spots(each: MeasuredScan) -> dict[tuple[ViewName, int, str], tuple[float, int]]:
    """Mean counts a pixel, and number of pixels, of each part of each view without its hot spots."""
    found: dict[tuple[ViewName, int, str], tuple[float, int]] = {}
    planes = zip(each.scan.counts, each.measured.labels, strict=True)
    for (view, part), (counts, labels) in zip(part_images(each.regions, each.scan.views).items(), planes, strict=True):
        at = np.flatnonzero((part >= len(SIDES)) & (labels == 0))
        number = part.ravel()[at]
        pixels = np.bincount(number)
        sums = np.bincount(number, weights=counts.ravel()[at])
        for which in np.flatnonzero(pixels):
            code, side = divmod(int(which), len(SIDES))
            found[view, code, SIDES[side]] = (float(sums[which] / pixels[which]), int(pixels[which]))
    return found


def _weighted_median(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    order = np.argsort(values)
    passed = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(passed, passed[-1] / 2)])


def _places_in_prior(
    view: ViewName, part: NDArray[np.intp], mm: NDArray[np.float64], registration: Registration
) -> NDArray[np.float64]:
    """Row and column in the prior scan of each pixel of a view: (2, y, x)."""
    maps = {
        key.code * len(SIDES) + SIDES.index(key.side): found
        for key in registration.parts
        if key.view is view and (found := registration.of(key)) is not None
    }
    step = np.maximum(1, np.rint(_STEP_MM / mm)).astype(int)
    rows, columns = (np.arange(0, n + s - 1, s) for n, s in zip(part.shape, step, strict=True))
    coarse = part[np.minimum(rows, part.shape[0] - 1)][:, np.minimum(columns, part.shape[1] - 1)]
    nodes = np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1).reshape(-1, 2).astype(float)
    blended = _blend(nodes, coarse, maps, registration.bodies[view], mm * step).reshape(*coarse.shape, 2)
    # Linear between the nodes, which lie every few pixels.
    at = [np.arange(n) / s for n, s in zip(part.shape, step, strict=True)]
    for axis, positions in enumerate(at):
        low = np.minimum(positions.astype(int), blended.shape[axis] - 2)
        share = (positions - low)[(slice(None), None, None) if axis == 0 else (None, slice(None), None)]
        blended = (1 - share) * blended.take(low, axis) + share * blended.take(low + 1, axis)
    return np.moveaxis(blended, -1, 0)


def _blend(
    nodes: NDArray[np.float64],
    coarse: NDArray[np.intp],
    maps: Mapping[int, PartMap],
    body: PartMap,
    step_mm: NDArray[np.float64],
) -> NDArray[np.float64]:
    """The mean of the maps of all parts at nodes (n, 2), weighted by distance to the part."""
    total = np.full(len(nodes), np.exp(-0.5 * (_BODY_MM / _BLEND_MM) ** 2))
    places = total[:, None] * body.to_prior(nodes)
    for number, mapped in maps.items():
        own = coarse == number
        if not own.any():
            continue
        distance = ndimage.distance_transform_edt(~own, sampling=step_mm).ravel()
        weight = np.exp(-0.5 * (np.minimum(distance, _BODY_MM) / _BLEND_MM) ** 2)
        weight[distance >= _BODY_MM] = 0
        places += weight[:, None] * mapped.to_prior(nodes)
        total += weight
    return np.asarray(places / total[:, None])


def _mm(each: MeasuredScan) -> NDArray[np.float64]:
    return np.array(each.scan.spacing or (ASSUMED_SPACING_MM, ASSUMED_SPACING_MM))
