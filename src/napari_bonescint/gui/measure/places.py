"""Where regions and hot spots lie."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_bonescint.anatomy import CODES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_bonescint.measurement.measures import RegionUptake
    from napari_bonescint.measurement.sacroiliac import RelativeProfile, SacroiliacProfile
    from napari_bonescint.scan import Scan, View


class FoundJoints(NamedTuple):
    """The profile across the sacroiliac joints, and the same over the mean counts of the sacrum."""

    profile: SacroiliacProfile
    relative: RelativeProfile


def pixels_of(region: RegionUptake, regions: NDArray[np.uint8], views: Sequence[View]) -> NDArray[np.bool_]:
    """The pixels (y, x) of a row of the table, in its view.

    Parameters
    ----------
    region : RegionUptake
    regions : ndarray of uint8, shape (view, y, x)
        Region codes.
    views : sequence of View
        One for each plane.
    """
    index = [view.name for view in views].index(region.view)
    plane = regions[index]
    if region.region not in CODES:  # the whole skeleton
        return np.asarray(plane > 0)
    code = CODES[region.region]
    if not region.side:
        return np.asarray(plane == code)
    # Here, in the thread: what this imports would stop the window.
    from napari_bonescint.measurement.bones import find_bones, part_number

    part = find_bones(regions, views).part.reshape(regions.shape)[index]
    return np.asarray(part == part_number(index, code, region.side))


def sacroiliac_of(scan: Scan, regions: NDArray[np.uint8], labels: NDArray[np.uint16]) -> FoundJoints | None:
    """The profile across the sacroiliac joints; None where they are not measured.

    Parameters
    ----------
    scan : Scan
    regions : ndarray of uint8, shape (view, y, x)
        Region codes.
    labels : ndarray of uint16, shape (view, y, x)
        Hot spots, which are left out of the sacrum.
    """
    # Here, in the thread: what this imports would stop the window.
    from napari_bonescint.measurement.examination import examine

    examined = examine(scan, regions)
    profile = examined.sacroiliac
    if isinstance(profile, str) or examined.no_counts:
        return None
    relative = profile.relative(scan, labels[profile.view] > 0)
    return None if relative is None else FoundJoints(profile, relative)


def middle_of(mask: NDArray[np.bool_]) -> tuple[float, float] | None:
    """Row and column of the middle of a mask; None if it is empty."""
    rows, columns = np.nonzero(mask)
    if not len(rows):
        return None
    return (rows.min() + rows.max()) / 2, (columns.min() + columns.max()) / 2
