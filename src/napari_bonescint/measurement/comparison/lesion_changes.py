"""Name the change of each lesion: new, gone, larger, smaller, same, or not seen in one of the scans."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.anatomy import CODES
from napari_bonescint.measurement.comparison.changes import Change, LesionChange

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from napari_bonescint.measurement.comparison.matching import Group, Spot
    from napari_bonescint.measurement.comparison.registration import Registration
    from napari_bonescint.measurement.comparison.uptake_change import BothScans, UptakeChange
    from napari_bonescint.scan import ViewName

LARGER = 1.25
"""A lesion is larger only from this ratio of areas on, and smaller from its inverse, and only if its excess uptake
changed beyond the noise, too: outlines alone vary more (benchmarks/prior_pairs.py)."""

LEAST_RISE = 1.1
"""Only from this ratio of mean counts to those of the same place in the other scan on, a lesion is new or gone. In
simulated pairs, more than half of the unchanged lesions stay below, and 1 in 30 of those that are new or gone."""

_BONE_WITHIN_MM = 15.0


def changes_of(groups: Iterable[Group], both: BothScans) -> tuple[LesionChange, ...]:
    """The changes of the lesions that are suspicious in at least one of the scans, from the head down."""
    named = [_change(group, both) for group in groups if _is_suspicious(group.new + group.old)]
    named.sort(key=lambda each: (CODES.get(each.region, 0), min((row for row, _ in each.places.values()), default=0)))
    return tuple(replace(each, number=number) for number, each in enumerate(named, 1))


def _is_suspicious(spots: Iterable[Spot]) -> bool:
    return any(spot.facts.suspicious for spot in spots)


def _change(group: Group, both: BothScans) -> LesionChange:
    views = {spot.key.view for spot in group.new} & {spot.key.view for spot in group.old}
    area_ratio = _area_ratio(group, views, both)
    uptake = both.uptake_change(group, views) if views else None
    change, reason = _named(group, area_ratio, uptake, both)
    largest = (group.new or group.old)[0].facts
    return LesionChange(
        number=0,
        change=change,
        region=largest.region,
        side=largest.side,
        new=tuple(spot.key for spot in group.new),
        old=tuple(spot.key for spot in group.old),
        area_ratio=area_ratio,
        uptake_ratio=None if uptake is None else uptake.ratio,
        uptake_limit=None if uptake is None else uptake.limit,
        suspicious=_is_suspicious(group.new),
        suspicious_before=_is_suspicious(group.old),
        places=_places(group, both.registration),
        reason=reason,
    )


def _named(group: Group, area_ratio: float | None, uptake: UptakeChange | None, both: BothScans) -> tuple[Change, str]:
    if group.new and group.old:
        return _named_by_size(area_ratio, uptake)
    when, other = ("new", "prior") if group.new else ("prior", "new")
    spots = group.new or group.old
    if not any(_is_shown(spot, both, to_prior=bool(group.new)) for spot in spots):
        return Change.UNSEEN, f"The {other} scan does not show this place of the bone."
    rises = [found for spot in spots if (found := both.rise(spot, to_prior=bool(group.new))) is not None]
    if rises and max(rises) < LEAST_RISE:
        return Change.SAME, (
            f"Only the {when} scan has a hot spot here, but the {other} scan shows as much uptake there."
        )
    return (Change.NEW if group.new else Change.GONE), (
        f"The {other} scan shows this place of the bone, and no hot spot there."
    )


def _named_by_size(area_ratio: float | None, uptake: UptakeChange | None) -> tuple[Change, str]:
    if area_ratio is None:
        return Change.SAME, "The scans show the lesion in opposite views, so its areas cannot be compared."
    if uptake is None:
        return Change.SAME, f"The area is {area_ratio:.2f} times that in the prior scan; uptake cannot be compared."
    if area_ratio >= LARGER and uptake.ratio >= uptake.limit:
        change = Change.LARGER
    elif area_ratio <= 1 / LARGER and uptake.ratio <= 1 / uptake.limit:
        change = Change.SMALLER
    else:
        change = Change.SAME
    area, noise = (f"{1 / limit:.2f} to {limit:.2f}" for limit in (LARGER, uptake.limit))
    return change, (
        f"Area {area_ratio:.2f} times and uptake {uptake.ratio:.2f} times those in the prior scan; within noise: "
        f"{area} and {noise}."
    )


def _is_shown(spot: Spot, both: BothScans, *, to_prior: bool) -> bool:
    """True if the other scan has the same bone where a hot spot of this scan would be."""
    mapped = both.registration.of(spot.part)
    if mapped is None:
        return False
    other = both.old if to_prior else both.new
    row, column = (mapped.to_prior if to_prior else mapped.to_new)(spot.centre)[0]
    index = [view.name for view in other.scan.views].index(spot.part.view)
    plane = other.regions[index]
    spacing = other.scan.spacing or (_BONE_WITHIN_MM / 6,) * 2
    reach_y, reach_x = (max(1, round(_BONE_WITHIN_MM / mm)) for mm in spacing)
    if not (0 <= row < plane.shape[0] and 0 <= column < plane.shape[1]):
        return False
    y, x = round(row), round(column)
    near = plane[max(0, y - reach_y) : y + reach_y + 1, max(0, x - reach_x) : x + reach_x + 1]
    return bool((near == spot.part.code).any())


def _area_ratio(group: Group, views: Collection[ViewName], both: BothScans) -> float | None:
    """Area in the new over that in the prior scan, in the views that show the lesion in both; None without any.

    Without a spacing in both scans, the map of the lesion's region gives the scale.
    """
    if not views:
        return None
    mine, others = (sum(s.facts.pixels for s in spots if s.key.view in views) for spots in (group.new, group.old))
    new_mm, old_mm = both.new.scan.spacing, both.old.scan.spacing
    if new_mm is not None and old_mm is not None:
        scale = float(np.prod(new_mm) / np.prod(old_mm))
    else:
        mapped = both.registration.of(group.new[0].part)
        scale = 1.0 if mapped is None else float(abs(np.linalg.det(mapped.matrix)))
    return mine * scale / others


def _places(group: Group, registration: Registration) -> dict[ViewName, tuple[float, float]]:
    """Centre of the lesion in each view of the new scan; of a lesion that is gone, where it was."""
    places: dict[ViewName, tuple[float, float]] = {}
    for spot in group.new:
        places.setdefault(spot.key.view, (spot.facts.row, spot.facts.column))
    for spot in group.old if not places else ():
        mapped = registration.of(spot.part) or registration.bodies.get(spot.key.view)
        if mapped is not None:
            row, column = mapped.to_new(spot.centre)[0]
            places.setdefault(spot.key.view, (float(row), float(column)))
    return places
