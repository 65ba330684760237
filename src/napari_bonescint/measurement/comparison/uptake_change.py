"""Compare the uptake of a hot spot with that of the same place in the other scan."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import map_coordinates

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_bonescint.measurement.comparison.changes import MeasuredScan
    from napari_bonescint.measurement.comparison.matching import Spot
    from napari_bonescint.measurement.comparison.registration import Registration


def rise(
    spot: Spot,
    here: MeasuredScan,
    there: MeasuredScan,
    registration: Registration,
    scale: float,
    *,
    to_prior: bool,
) -> float | None:
    """Mean counts of a hot spot over those at its place in the other scan; None if its bone has no map.

    The other scan's counts are multiplied by `scale`.
    """
    mapped = registration.of(spot.part)
    if mapped is None:
        return None
    mine, other = (_plane(each, spot) for each in (here, there))
    places = (mapped.to_prior if to_prior else mapped.to_new)(spot.places)
    before = float(map_coordinates(other, places.T, order=1, mode="nearest").mean())
    rows, columns = spot.places.astype(int).T
    return float(mine[rows, columns].mean()) / max(scale * before, 1e-6)


def _plane(each: MeasuredScan, spot: Spot) -> NDArray[np.float32]:
    index = [view.name for view in each.scan.views].index(spot.part.view)
    return np.asarray(each.scan.counts[index], np.float32)
