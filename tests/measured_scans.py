"""Measures of a scan as tests need them: two hot spots, and quantities that are absent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.measurement.measures import (
    BoneScanIndex,
    HotSpot,
    HotSpotVerdict,
    Measured,
    Measures,
    Ratio,
    RegionInvolvement,
    RegionUptake,
)
from napari_bonescint.scan import ViewName

if TYPE_CHECKING:
    from napari_bonescint.scan import Scan

ANTERIOR, POSTERIOR = ViewName.ANTERIOR, ViewName.POSTERIOR


def some_measures(scan: Scan) -> Measured:
    """Measures of a scan with two views of at least 50 x 30 pixels."""
    labels = np.zeros(scan.counts.shape, np.uint16)
    labels[0, 30:34, 20:23] = 1
    labels[1, 40:42, 10:20] = 3
    regions = (
        RegionUptake(ANTERIOR, "skeleton", "", 900, 17820.0, 12345.0, 13.716666, 0.412, None),
        RegionUptake(ANTERIOR, "femur", "left", 100, 1980.0, 900.0, 9.0, 0.03, 0.9),
        RegionUptake(POSTERIOR, "sacrum", "", 40, None, None, None, None, None),
    )
    spots = (
        HotSpot(
            *(1, ANTERIOR, "femur", "left", 31.5, 21.0, 12, 237.6, 4.25, 3.1, 2.5, 0.871),
            verdict=HotSpotVerdict(suspicious=True),
            reason="above 3 times the femur's median, seen from both sides",
            other_view_id=3,
        ),
        HotSpot(
            *(3, POSTERIOR, "sacrum", "", 40.5, 14.5, 20, None, 1.9, 1.5, 1.2, None),
            verdict=HotSpotVerdict(suspicious=False, by_reader=True),
            reason="marked as not suspicious by the reader",
        ),
    )
    index = BoneScanIndex(
        1.8324,
        2.0,
        (RegionInvolvement("femur", 12, 100, 15.27, 1.8324), RegionInvolvement("sacrum", 0, 40, 2.74, 0.0)),
        {ANTERIOR: 1.8324, POSTERIOR: 0.0},
    )
    ratios = (
        Ratio("bone_to_soft_tissue", 3.456789, "Mean counts of bone over those of soft tissue."),
        Ratio("sacroiliac_to_sacrum_left", None, "Posterior view.", absent="The sacrum is not in the image."),
    )
    return Measured(
        labels,
        Measures(
            regions, spots, index, ratios, {"tiny": "ab12", "hot-spots": "cd34"}, {"area": "no spacing"}, ("Dim.",)
        ),
    )
