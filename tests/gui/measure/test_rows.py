"""Texts of the tables."""

from __future__ import annotations

from dataclasses import replace

from napari_bonescint.gui.measure.rows import RATIO_COLUMNS, REGION_COLUMNS, SPOT_COLUMNS, as_text
from napari_bonescint.measurement.measures import HotSpot, HotSpotVerdict, Ratio, RegionUptake
from napari_bonescint.scan import ViewName

SPOT = HotSpot(
    id=7,
    view=ViewName.ANTERIOR,
    region="lumbar_spine",
    side="",
    row=1.0,
    column=2.0,
    pixels=30,
    area_mm2=1234.5,
    peak_ratio=3.456,
    mean_ratio=2.0,
    ring_ratio=2.0,
    probability=None,
    verdict=HotSpotVerdict(suspicious=True),
    reason="peak",
)


def texts(columns: tuple, record: object) -> list[str]:
    return [column.text(record) for column in columns]


def test_numbers_are_short_and_what_is_unknown_is_empty() -> None:
    assert texts(SPOT_COLUMNS, SPOT) == ["7", "lumbar spine", "", "ant.", "1\u202f234", "3.5", "", "peak"]
    beside = replace(SPOT, region="background", area_mm2=None, peak_ratio=float("nan"), probability=0.5)
    assert texts(SPOT_COLUMNS, beside)[1:7] == ["beside bone", "", "ant.", "", "", "0.50"]
    region = RegionUptake(ViewName.POSTERIOR, "ribs", "left", 10, 50.0, 2000.0, 200.0, 0.123, 1.1)
    assert texts(REGION_COLUMNS, region) == ["ribs", "left", "post.", "50", "2\u202f000", "200.00", "12.3", "1.10"]
    of_regions = Ratio("geometric_mean_counts_skull", 17468.1049, "√(a × p)")
    assert texts(RATIO_COLUMNS, of_regions)[:2] == ["geometric mean counts skull", "17\u202f468"]
    assert texts(RATIO_COLUMNS, replace(of_regions, value=1.174))[1] == "1.17"


def test_copied_rows_have_titles_and_tabs() -> None:
    lines = as_text(SPOT_COLUMNS, [SPOT]).split("\n")
    assert lines[0].startswith("No.\tRegion\tSide\tView")
    assert len(lines) == 2
