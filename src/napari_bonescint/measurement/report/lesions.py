"""Name views in tables, and count lesions: one that both views show is one, though it is a hot spot in each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_bonescint.scan import ViewName

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari_bonescint.measurement.measures import HotSpot


SHORT_VIEWS = {ViewName.ANTERIOR: "ant.", ViewName.POSTERIOR: "post."}
"""Views in narrow columns."""


def count_lesions(spots: Iterable[HotSpot]) -> int:
    """Number of suspicious hot spots, where those that are one lesion in both views count once."""
    suspicious = {(spot.view, spot.id): spot for spot in spots if spot.suspicious}
    counted = 0
    seen: set[tuple[object, int]] = set()
    for key, spot in suspicious.items():
        partner = (spot.view.opposite, spot.other_view_id or 0)
        if partner not in seen:
            counted += 1
        seen.add(key)
    return counted
