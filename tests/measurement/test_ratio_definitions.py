"""Each definition of a ratio is written once, and each ratio gets its own back."""

import numpy as np

from napari_bonescint.measurement.measures import Ratio
from napari_bonescint.measurement.measuring import remeasure
from napari_bonescint.measurement.ratio_definitions import definition_of, shared_definitions


def test_regions_and_sides_share_a_definition(body):
    ratios = remeasure(body.scan, body.regions, body.labels).ratios
    shared = shared_definitions(ratios)
    assert {"geometric_mean_counts_REGION", "geometric_left_right_REGION", "sacroiliac_to_sacrum_SIDE"} <= set(shared)
    assert len(shared) < 8 < 20 < len(ratios)
    assert all("the REGION " in shared[name] for name in shared if name.startswith("geometric_mean"))
    assert [definition_of(ratio.name, shared) for ratio in ratios] == [ratio.definition for ratio in ratios]
    assert np.mean([len(text) for text in shared.values()]) < 400


def test_what_is_no_family_keeps_its_own():
    odd = [
        Ratio("a_femur", 1, "The femur."),
        Ratio("a_ribs", 1, "Another one."),
        Ratio("a_foot", 1, "Of the REGION foot."),
    ]
    odd.append(Ratio("a_hand", 1, "Not the hand."))
    shared = shared_definitions(odd)
    assert [definition_of(ratio.name, shared) for ratio in odd] == [ratio.definition for ratio in odd]
    assert definition_of("b", shared) is None
