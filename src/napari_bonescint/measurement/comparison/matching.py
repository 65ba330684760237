"""Find the hot spots of two scans that show the same lesion.

A hot spot is carried to the other scan by the map of its own region, side and view. It is matched with a hot spot that
covers half of it there, or of which it covers half. The nearest pairs are matched first, each hot spot once. A hot spot
that stays alone, but lies mostly within another lesion, belongs to that lesion: it split off, or merged with it. Then a
hot spot that is seen from one side only is sought in the opposite view of the other scan. At last, hot spots that are
partners in the two views of one scan are one lesion.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.ndimage import find_objects
from scipy.spatial import cKDTree

from napari_bonescint.anatomy import CODES
from napari_bonescint.inference.preprocessing import ASSUMED_SPACING_MM
from napari_bonescint.measurement.bones import SIDES
from napari_bonescint.measurement.comparison.changes import MeasuredScan, SpotKey
from napari_bonescint.measurement.comparison.registration import Part, Registration, part_images

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from napari_bonescint.measurement.comparison.registration import PartMap
    from napari_bonescint.measurement.measures import HotSpot
    from napari_bonescint.scan import ViewName

# Half of one of two hot spots must lie within 4 mm of the other: in simulated repeat scans, 19 in 20 of one lesion do.
_WITHIN_MM = 4.0
_WITHIN_SHARE = 0.5
# Or this gap may remain: ribs move with the breath, and head and hands turn, which no map of a flat image can follow.
_REACH_MM: dict[str, float] = {
    **dict.fromkeys(("ribs", "clavicle", "scapula", "humerus", "cervical_spine", "foot"), 8.0),
    **dict.fromkeys(("skull", "forearm", "hand"), 20.0),
}
_OVERLYING = {CODES[name] for name in ("forearm", "hand")}
_BESIDE_BONE_MM = 25.0
_NEAR_CENTRE = 0.3
_MOST_PLACES = 80


@dataclass(frozen=True)
class Spot:
    """A hot spot with its outline.

    Attributes
    ----------
    key : SpotKey
        Its view and number.
    facts : HotSpot
        Its measures.
    part : Part
        Its region, side and view.
    places : ndarray of float64, shape (n, 2)
        Rows and columns of its pixels.
    """

    key: SpotKey
    facts: HotSpot
    part: Part
    places: NDArray[np.float64]

    @property
    def thinned(self) -> NDArray[np.float64]:
        """Its pixels; of a large hot spot, evenly chosen ones."""
        return self.places[:: max(1, len(self.places) // _MOST_PLACES)]

    @property
    def centre(self) -> NDArray[np.float64]:
        """Row and column of its centre, as an array (1, 2)."""
        return np.array([[self.facts.row, self.facts.column]])


class Group(NamedTuple):
    """The hot spots of one lesion in the new and in the prior scan, the largest first."""

    new: tuple[Spot, ...]
    old: tuple[Spot, ...]


def spots_of(measured: MeasuredScan) -> dict[SpotKey, Spot]:
    """The hot spots of a scan, by view and number."""
    labels, found = measured.measured.labels, {}
    planes = {view.name: plane for view, plane in zip(measured.scan.views, labels, strict=True)}
    windows = {name: find_objects(plane) for name, plane in planes.items()}
    parts = part_images(measured.regions, measured.scan.views)
    reach = round(_BESIDE_BONE_MM / min(measured.scan.spacing or (ASSUMED_SPACING_MM,)))
    for facts in measured.measured.measures.hot_spots:
        window = windows[facts.view][facts.id - 1]
        places = np.argwhere(planes[facts.view][window] == facts.id) + [part.start for part in window]
        key = SpotKey(facts.view, facts.id)
        part = Part(facts.view, CODES.get(facts.region, 0), facts.side)
        if part.code == 0:
            part = _nearest_part(places, parts[facts.view], facts.view, reach)
        found[key] = Spot(key, facts, part, places.astype(float))
    return found


def _nearest_part(places: NDArray[np.intp], part: NDArray[np.intp], view: ViewName, reach: int) -> Part:
    """The bone nearest to a hot spot (n, 2) that a person painted beside bone; background if there is none."""
    top, left = np.maximum(places.min(axis=0) - reach, 0)
    bottom, right = places.max(axis=0) + reach + 1
    near = part[top:bottom, left:right]
    bone = np.argwhere(near >= len(SIDES))
    if not len(bone):
        return Part(view, 0, "")
    nearest = bone[np.argmin(cKDTree(places - (top, left)).query(bone)[0])]
    code, side = divmod(int(near[tuple(nearest)]), len(SIDES))
    return Part(view, code, SIDES[side])


def match(new: MeasuredScan, old: MeasuredScan, registration: Registration) -> list[Group]:
    """Group the hot spots of two scans by lesion.

    Parameters
    ----------
    new, old : MeasuredScan
        The new and the prior scan.
    registration : Registration
        Maps from the new to the prior scan.

    Returns
    -------
    list of Group
        Every hot spot of both scans is in one group.
    """
    mine, others = spots_of(new), spots_of(old)
    space = _Space(
        registration,
        np.array(new.scan.spacing or (ASSUMED_SPACING_MM, ASSUMED_SPACING_MM)),
        np.array(old.scan.spacing or (ASSUMED_SPACING_MM, ASSUMED_SPACING_MM)),
        new.regions.shape[-1],
        {key: cKDTree(spot.thinned) for key, spot in others.items()},
    )
    links = _links(list(mine.values()), list(others.values()), space)
    return _grouped(mine, others, links)


class _Space(NamedTuple):
    """The means to compare places of two scans."""

    registration: Registration
    new_mm: NDArray[np.float64]
    old_mm: NDArray[np.float64]
    columns: int
    trees: Mapping[SpotKey, cKDTree]


class _Closeness(NamedTuple):
    """How close two hot spots are: distances in mm, and the shares of each that lie within the other."""

    gap: float
    centres: float
    new_within: float
    old_within: float

    @property
    def cost(self) -> float:
        return self.gap + _NEAR_CENTRE * self.centres


def _links(mine: Sequence[Spot], others: Sequence[Spot], space: _Space) -> list[tuple[SpotKey, SpotKey]]:
    close = {
        (one.key, other.key): found
        for one in mine
        for other in others
        if one.part.view is other.part.view and (found := _closeness(one, other, space)) is not None
    }
    links = _nearest_first(close)
    taken = {key for link in links for key in (("new", link[0]), ("old", link[1]))}
    for (one, other), found in close.items():
        alone_new, alone_old = ("new", one) not in taken, ("old", other) not in taken
        if (alone_new and found.new_within >= _WITHIN_SHARE) or (alone_old and found.old_within >= _WITHIN_SHARE):
            links.append((one, other))
    taken = {key for link in links for key in (("new", link[0]), ("old", link[1]))}
    across = {
        (one.key, other.key): found
        for one in mine
        for other in others
        if one.part.view is not other.part.view
        and one.facts.other_view_id is None
        and other.facts.other_view_id is None
        and not taken & {("new", one.key), ("old", other.key)}
        and (found := _closeness(_from_behind(one, space.columns), other, space)) is not None
    }
    return links + _nearest_first(across)


def _nearest_first(close: Mapping[tuple[SpotKey, SpotKey], _Closeness]) -> list[tuple[SpotKey, SpotKey]]:
    """Match the nearest pairs first, each hot spot once."""
    links: list[tuple[SpotKey, SpotKey]] = []
    for one, other in sorted(close, key=lambda pair: close[pair].cost):
        if all(one != link[0] and other != link[1] for link in links):
            links.append((one, other))
    return links


def _from_behind(spot: Spot, columns: int) -> Spot:
    """A hot spot as the opposite detector sees its place: both look along one line."""
    part = spot.part._replace(view=spot.part.view.opposite)
    return Spot(spot.key, spot.facts, part, spot.places * (1, -1) + (0, columns - 1))


def _closeness(one: Spot, other: Spot, space: _Space) -> _Closeness | None:
    """How close a new and a prior hot spot are; None if they are out of reach of each other.

    If they lie in two parts, such as at the border of two regions, both maps must agree. A forearm or a hand that lies
    over another bone in one of the scans does not move that bone.
    """
    reach = max(_REACH_MM.get(spot.facts.region, 0.0) for spot in (one, other))
    parts = {one.part, other.part}
    parts = {part for part in parts if part.code not in _OVERLYING} or parts
    maps = [found for found in map(space.registration.of, parts) if found is not None]
    if len(maps) < len(parts):
        return None
    found = [_by_map(each, one, other, space, reach) for each in maps]
    worst = max(found, key=lambda each: each.cost)
    is_near = max(worst.new_within, worst.old_within) >= _WITHIN_SHARE or (reach > 0 and worst.gap <= reach)
    return worst if is_near else None


def _by_map(mapped: PartMap, one: Spot, other: Spot, space: _Space, reach: float) -> _Closeness:
    carried, places = mapped.to_prior(one.thinned), other.thinned
    mm = float(space.old_mm.mean())
    centres = float(np.linalg.norm((carried.mean(axis=0) - places.mean(axis=0)) * space.old_mm))
    # Cheap bounds first: most pairs lie far apart.
    size = np.ptp(carried, axis=0).max() + np.ptp(places, axis=0).max()
    if centres > reach + size * space.old_mm.max():
        return _Closeness(np.inf, centres, 0.0, 0.0)
    distance = np.asarray(space.trees[other.key].query(carried)[0])
    back = np.asarray(cKDTree(carried).query(places)[0])
    # Only some pixels of a large hot spot are looked at.
    thinned = max(np.sqrt(spot.facts.pixels / len(spot.thinned)) for spot in (one, other))
    slack = thinned * mm
    gap = max(0.0, float(distance.min()) * mm - slack)
    near = _WITHIN_MM + slack
    return _Closeness(gap, centres, float((distance * mm <= near).mean()), float((back * mm <= near).mean()))


def _grouped(
    mine: Mapping[SpotKey, Spot], others: Mapping[SpotKey, Spot], links: Iterable[tuple[SpotKey, SpotKey]]
) -> list[Group]:
    """Join linked hot spots, and partners in the two views of one scan, to groups."""
    leader = {(age, key): (age, key) for age, spots in (("new", mine), ("old", others)) for key in spots}

    def lead(member: tuple[str, SpotKey]) -> tuple[str, SpotKey]:
        while leader[member] != member:
            member = leader[member]
        return member

    pairs = [(("new", one), ("old", other)) for one, other in links]
    for age, spots in (("new", mine), ("old", others)):
        for key, spot in spots.items():
            partner = SpotKey(key.view.opposite, spot.facts.other_view_id or 0)
            if partner in spots:
                pairs.append(((age, key), (age, partner)))
    for one, other in pairs:
        leader[lead(one)] = lead(other)
    groups: dict[tuple[str, SpotKey], tuple[list[Spot], list[Spot]]] = {}
    for age, spots in (("new", mine), ("old", others)):
        for key, spot in spots.items():
            groups.setdefault(lead((age, key)), ([], []))[age == "old"].append(spot)
    return [
        Group(*(tuple(sorted(side, key=lambda spot: -spot.facts.pixels)) for side in group))
        for group in groups.values()
    ]
