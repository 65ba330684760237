"""Uptake of each region, by view and side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.anatomy import REGIONS
from napari_bonescint.measurement.body import counts_of_body
from napari_bonescint.measurement.bones import PAIRED, SIDES, Bones, find_bones
from napari_bonescint.measurement.counts import why_no_counts
from napari_bonescint.measurement.measures import RegionUptake

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_bonescint.measurement.measures import Side
    from napari_bonescint.scan import Scan

SKELETON = "skeleton"
"""Name of all bones together in tables."""

_BONES = REGIONS[1:]
_ROWS = ((SKELETON, [region.code for region in _BONES]), *((region.name, [region.code]) for region in _BONES))


def measure_uptake(scan: Scan, regions: NDArray[np.uint8], bones: Bones | None = None) -> tuple[RegionUptake, ...]:
    """Measure the uptake of each region that is seen, by view and side; of each view, all bones together come first.

    Parameters
    ----------
    scan : Scan
        The scan. If its pixels are no counts, or its spacing is unknown, the quantities that need them are None.
    regions : ndarray of uint8, shape (view, y, x)
        Region codes.
    bones : Bones, optional
        Those of `regions`, if they are known.
    """
    bones = find_bones(regions, scan.views) if bones is None else bones
    pixels = bones.by_part(np.ones(len(bones.at)))
    sums = bones.by_part(scan.counts.reshape(-1)[bones.at].astype(np.float64))
    whole = None if why_no_counts(scan) else counts_of_body(scan, bones)
    rows = []
    for index, view in enumerate(scan.views):
        for name, codes in _ROWS:
            by_side, own = (table[index][codes].sum(axis=0) for table in (sums, pixels))
            ratio = None
            if name in PAIRED and whole is not None and own[1:].all() and by_side[2] > 0:
                ratio = float(by_side[1] / own[1] / (by_side[2] / own[2]))
            sides: tuple[Side, ...] = SIDES if name in PAIRED else SIDES[:1]
            for side in sides:
                chosen = slice(None) if not side else slice(SIDES.index(side), SIDES.index(side) + 1)
                number, total = int(own[chosen].sum()), float(by_side[chosen].sum())
                if not number:
                    continue
                rows.append(
                    RegionUptake(
                        view=view.name,
                        region=name,
                        side=side,
                        pixels=number,
                        area_mm2=None if scan.spacing is None else number * scan.spacing[0] * scan.spacing[1],
                        counts=None if whole is None else total,
                        mean_counts=None if whole is None else total / number,
                        share_of_counts=None if whole is None or not whole[index] else total / float(whole[index]),
                        left_right_ratio=ratio,
                    )
                )
    return tuple(rows)
