"""Pixels and middle of a row of the table of regions."""

from __future__ import annotations

import numpy as np

from napari_bonescint.gui.measure.places import middle_of, pixels_of
from napari_bonescint.measurement.measures import RegionUptake
from napari_bonescint.scan import View, ViewName


def row(region: str, side: str = "") -> RegionUptake:
    return RegionUptake(ViewName.POSTERIOR, region, side, 0, None, None, None, None, None)  # type: ignore[arg-type]


def test_a_row_has_the_pixels_of_its_region_and_side() -> None:
    regions = np.zeros((2, 60, 40), np.uint8)
    regions[1, 5:20, 18:22] = 3
    regions[1, 30:50, 8:12] = regions[1, 30:50, 28:32] = 14
    views = (View(ViewName.ANTERIOR), View(ViewName.POSTERIOR))
    femurs = pixels_of(row("femur"), regions, views)
    np.testing.assert_array_equal(femurs, regions[1] == 14)
    assert middle_of(femurs) == (39.5, 19.5)
    # A posterior view shows the patient's left side on its left.
    left = pixels_of(row("femur", "left"), regions, views)
    assert middle_of(left) == (39.5, 9.5)
    np.testing.assert_array_equal(pixels_of(row("skeleton"), regions, views), regions[1] > 0)
    assert middle_of(pixels_of(row("skull"), regions, views)) is None
