"""Lesions of both views are counted once."""

from __future__ import annotations

from dataclasses import replace

from napari_bonescint.measurement.measures import HotSpotVerdict
from napari_bonescint.measurement.report.lesions import count_lesions


def test_a_lesion_seen_in_both_views_counts_once(draw):
    spots = draw(3, 2).measured.measures.hot_spots
    assert [spot.other_view_id for spot in spots] == [1, 2, 3, 1, 2, 3]
    assert count_lesions(spots) == 2
    assert count_lesions([spot for spot in spots if spot.view == "anterior"]) == 2
    alone = [replace(spot, other_view_id=None) for spot in spots]
    assert count_lesions(alone) == 4
    # The reader took it for a lesion in one view only.
    first, *rest = spots
    assert count_lesions([replace(first, verdict=HotSpotVerdict(False, by_reader=True)), *rest]) == 2
    assert count_lesions([]) == 0
