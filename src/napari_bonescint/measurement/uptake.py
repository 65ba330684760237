"""Uptake of each region, by view and side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.anatomy import REGIONS
from napari_bonescint.measurement.bones import PAIRED, SIDES
from napari_bonescint.measurement.examination import examine
from napari_bonescint.measurement.measures import RegionUptake

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_bonescint.measurement.examination import Examination
    from napari_bonescint.measurement.measures import Side
    from napari_bonescint.scan import Scan

SKELETON = "skeleton"
"""Name of all bones together in tables."""

# Share of a region's counts.
_MOST_FOREIGN = 0.1

_BONES = REGIONS[1:]
_ROWS = ((SKELETON, [region.code for region in _BONES]), *((region.name, [region.code]) for region in _BONES))


def measure_uptake(
    scan: Scan, regions: NDArray[np.uint8], examined: Examination | None = None
) -> tuple[RegionUptake, ...]:
    """Measure the uptake of each region that is seen, by view and side; of each view, all bones together come first.

    Parameters
    ----------
    scan : Scan
        The scan. If its pixels are no counts, or its spacing is unknown, the quantities that need them are None.
    regions : ndarray of uint8, shape (view, y, x)
        Region codes.
    examined : Examination, optional
        That of the scan and its regions, if it is known.
    """
    examined = examined or examine(scan, regions)
    whole = None if examined.no_counts else examined.whole_body
    rows = []
    for index, view in enumerate(scan.views):
        for name, codes in _ROWS:
            by_side, own = (table[index][codes].sum(axis=0) for table in (examined.sums, examined.pixels))
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


def foreign_uptake_warnings(scan: Scan, examined: Examination) -> list[str]:
    """A sentence for each view, which names the bones that owe more than a tenth of their counts to such tracer."""
    foreign = examined.bones.by_part(np.where(examined.excreted.reshape(-1)[examined.bones.at], examined.counts, 0))
    sentences = []
    for view, affected in zip(scan.views, foreign > _MOST_FOREIGN * examined.sums, strict=True):
        parts = [part for region in REGIONS for part in _parts(region.label, affected[region.code].tolist())]
        if parts:
            named = " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))
            uptake = "its uptake is" if len(parts) == 1 else "their uptake is"
            sentences.append(
                f"The {view.name} view shows urine or the injection site in front of the {named}; {uptake} too high."
            )
    return sentences


def _parts(label: str, affected: Sequence[bool]) -> list[str]:
    """What to call the affected parts of a region, in the order of `SIDES`: one side, or the region if both are."""
    sides = [side for side, is_so in zip(SIDES, affected, strict=True) if side and is_so]
    if len(sides) == 1:
        return [f"{sides[0]} {label}"]
    return [label] if any(affected) else []
