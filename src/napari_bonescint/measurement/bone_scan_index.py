"""The bone scan index from planar views, computed from region masks and hot spots."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.anatomy import CODES, OUTLINED, REGIONS
from napari_bonescint.measurement.measures import BoneScanIndex, RegionInvolvement
from napari_bonescint.scan import ViewName

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from napari_bonescint.measurement.measures import HotSpot
    from napari_bonescint.scan import View

MASS_PERCENT: Mapping[str, float] = {
    "skull": 11.29,
    "cervical_spine": 1.71,
    "thoracic_spine": 6.04,
    "lumbar_spine": 4.74,
    "sacrum": 2.74,
    "ribs": 8.59,
    "sternum": 0.64,
    "clavicle": 0.98,
    "scapula": 4.01,
    "humerus": 5.61,
    "forearm": 4.61,
    "hand": 3.10,
    "pelvis": 10.48,
    "femur": 15.27,
    "lower_leg": 13.00,
    "foot": 7.18,
}
"""Mass of each region in percent of the skeleton's: bone voxels without cartilage of the adult male reference phantom
(ICRP publication 110), both sides together."""

DISTAL_LIMBS = OUTLINED
"""Regions that are left out of `BoneScanIndex.total`: forearm, hand, lower leg and foot."""

FROM_THE_FRONT_ONLY = ("sternum",)
"""Regions of which only the anterior view counts."""

DEFINITION = (
    "Bone scan index = sum over regions of (area of suspicious hot spots in the region / area of the region) x mass of "
    "the region in percent of the skeleton's. The areas of the anterior and posterior view are added; the sternum is "
    "taken from the anterior view only. Masses are those of the adult male reference phantom of ICRP publication 110. "
    "Forearm, hand, lower leg and foot are left out, unless it is stated that they are included."
)
"""The definition, to print beside the number."""

_MASS = np.array([MASS_PERCENT.get(region.name, 0.0) for region in REGIONS])
_PROXIMAL = np.array([region.name not in DISTAL_LIMBS for region in REGIONS])


def bone_scan_index(
    regions: NDArray[np.uint8], labels: NDArray[np.uint16], spots: Iterable[HotSpot], views: Sequence[View]
) -> BoneScanIndex:
    """Compute the bone scan index from the suspicious hot spots, see `DEFINITION`.

    Parameters
    ----------
    regions : ndarray of uint8, shape (view, y, x)
        Region codes.
    labels : ndarray of uint16, shape (view, y, x)
        Hot spots, numbered within a view from 1. Pixels outside bone do not count.
    spots : iterable of HotSpot
        Those of `spots` that are suspicious count.
    views : sequence of View
        One for each plane.
    """
    suspicious = {(spot.view, spot.id) for spot in spots if spot.suspicious}
    pixels = np.zeros((len(views), len(REGIONS)), np.int64)
    hot = np.zeros_like(pixels)
    for index, view in enumerate(views):
        pixels[index] = np.bincount(regions[index].ravel(), minlength=len(REGIONS))[: len(REGIONS)]
        marked = np.flatnonzero(labels[index])
        numbers = labels[index].ravel()[marked]
        counts = np.zeros(int(numbers.max(initial=0)) + 1, bool)
        counts[[number for name, number in suspicious if name == view.name and number < len(counts)]] = True
        hot[index] = np.bincount(regions[index].ravel()[marked[counts[numbers]]], minlength=len(REGIONS))[
            : len(REGIONS)
        ]
    return index_of_areas(hot, pixels, views)


def index_of_areas(hot: NDArray[np.integer], pixels: NDArray[np.integer], views: Sequence[View]) -> BoneScanIndex:
    """Compute the bone scan index from pixels in suspicious hot spots and all pixels, each (view, region code)."""
    hot, pixels = hot.copy(), pixels.copy()
    pixels[:, 0] = hot[:, 0] = 0
    for index, view in enumerate(views):
        if view.name is not ViewName.ANTERIOR:
            left_out = [CODES[name] for name in FROM_THE_FRONT_ONLY]
            pixels[index, left_out] = hot[index, left_out] = 0
    pooled_hot, pooled = hot.sum(axis=0), pixels.sum(axis=0)
    parts = _parts(pooled_hot, pooled)
    return BoneScanIndex(
        total=float(parts[_PROXIMAL].sum()),
        with_distal=float(parts.sum()),
        by_region=tuple(
            RegionInvolvement(
                region.name,
                int(pooled_hot[region.code]),
                int(pooled[region.code]),
                MASS_PERCENT[region.name],
                float(parts[region.code]),
            )
            for region in REGIONS[1:]
            if pooled[region.code]
        ),
        by_view={
            view.name: float(_parts(hot[index], pixels[index])[_PROXIMAL].sum()) for index, view in enumerate(views)
        },
    )


def _parts(hot: NDArray[np.integer], pixels: NDArray[np.integer]) -> NDArray[np.float64]:
    """The part of each region, in percent, from its pixels (region code,)."""
    return np.asarray(hot / np.maximum(pixels, 1) * _MASS, np.float64)
