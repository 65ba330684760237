"""What lies around a hot spot: the counts of the bone in a ring, the bones that meet there, the face."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import distance_transform_edt, find_objects

from napari_bonescint.anatomy import CODES, REGIONS
from napari_bonescint.scan import ViewName

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_bonescint.measurement.hot_spots.marked import MarkedPixels
    from napari_bonescint.scan import Spacing

_RING_MM = 15.0
_RING_GAP_MM = 3.0
_NEAR_MM = 6.0
_FEWEST_IN_RING = 5


@dataclass(frozen=True)
class Surroundings:
    """The surroundings of each hot spot.

    Attributes
    ----------
    ring_mean : ndarray of float64, shape (spots,)
        Mean counts of the bone from 3 to 15 mm outside the spot that is in no hot spot; NaN if fewer than 5 pixels of
        bone are there.
    near : ndarray of bool, shape (spots, region code)
        The regions in the spot and up to 6 mm from it.
    """

    ring_mean: NDArray[np.float64]
    near: NDArray[np.bool_]


def look_around(
    marked: MarkedPixels,
    labels: NDArray[np.uint16],
    regions: NDArray[np.uint8],
    counts: NDArray[np.generic],
    spacing: Spacing,
) -> Surroundings:
    """Measure the surroundings of each hot spot.

    Parameters
    ----------
    marked : MarkedPixels
        The pixels of the spots.
    labels : ndarray of uint16, shape (view, y, x)
        The spots.
    regions : ndarray of uint8, shape (view, y, x)
        Region codes.
    counts : ndarray of shape (view, y, x)
        Counts.
    spacing : (float, float)
        Pixel spacing (y, x) in mm.
    """
    margin = [int(_RING_MM / mm) + 1 for mm in spacing]
    windows = [find_objects(plane) for plane in labels]
    means = np.full(len(marked), np.nan)
    near = np.zeros((len(marked), len(REGIONS)), bool)
    for index, (view, number) in enumerate(zip(marked.view, marked.id, strict=True)):
        own = windows[view][number - 1]
        window = tuple(slice(max(0, at.start - more), at.stop + more) for at, more in zip(own, margin, strict=True))
        spots, codes = labels[view][window], regions[view][window]
        away = distance_transform_edt(spots != number, sampling=spacing)
        near[index, codes[away <= _NEAR_MM]] = True
        ring = (away > _RING_GAP_MM) & (away <= _RING_MM) & (codes > 0) & (spots == 0)
        if np.count_nonzero(ring) >= _FEWEST_IN_RING:
            means[index] = counts[view][window][ring].mean()
    return Surroundings(means, near)


def is_in_face(marked: MarkedPixels) -> NDArray[np.bool_]:
    """For each spot, whether it lies in the lower half of the skull in the anterior view."""
    skull = CODES["skull"]
    is_anterior = np.array([view.name is ViewName.ANTERIOR for view in marked.bones.views])
    middle = marked.bones.ends[:, skull].mean(axis=1)
    inside = (marked.places[:, 0] == skull) & (marked.centres[:, 0] > middle[marked.view])
    return np.asarray(inside & is_anterior[marked.view])
