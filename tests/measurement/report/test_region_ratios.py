"""Ratios of one region are told from the others by their names."""

from napari_bonescint.measurement.measures import Ratio
from napari_bonescint.measurement.report.region_ratios import LEFT_RIGHT, MEAN_COUNTS, other_ratios, ratios_of_regions

RATIOS = (
    Ratio("geometric_left_right_lower_leg", 1.05, ""),
    Ratio("geometric_left_right_ribs", None, "", "There is one view."),
    Ratio("geometric_mean_counts_ribs", 4711.0, ""),
    Ratio("geometric_left_right_of_something", 2.0, ""),
    Ratio("femur_to_soft_tissue", 2.5, ""),
)


def test_ratios_by_region():
    assert ratios_of_regions(RATIOS, LEFT_RIGHT) == {"lower_leg": 1.05}
    assert ratios_of_regions(RATIOS, MEAN_COUNTS) == {"ribs": 4711.0}
    assert other_ratios(RATIOS) == list(RATIOS[3:])
