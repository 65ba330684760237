from __future__ import annotations

from dataclasses import replace

import numpy as np

from measurement.comparison.conftest import measured
from napari_bonescint.measurement.comparison.comparing import compare
from napari_bonescint.measurement.comparison.matching import match
from napari_bonescint.measurement.comparison.registration import register
from napari_bonescint.scan import ViewName


def scan_with(body, *spots):
    """A scan of the drawn body, hot at places (rows, columns); those with a view, 0 or 1, are seen there only."""
    counts, labels = body.counts.copy(), np.zeros_like(body.labels)
    for number, (rows, columns, *view) in enumerate(spots, 1):
        for plane in view or (0, 1):
            at = body.at(plane, rows, columns)
            counts[at] = 200
            labels[at] = number
    return measured(replace(body.scan, counts=counts), body.regions, labels)


def groups(new, old):
    """The numbers of the hot spots of each lesion, in the new and in the prior scan, by view."""
    sides = [(each.regions, each.scan.views, each.scan.spacing) for each in (new, old)]
    found = match(new, old, register(*sides[0], *sides[1]))
    return sorted(
        tuple(sorted((spot.key.view[0], spot.key.id) for spot in side) for side in (group.new, group.old))
        for group in found
    )


def test_neighbours_are_not_mixed_up_and_each_hot_spot_is_in_one_lesion(body):
    """One is gone and one is new beside one that stays."""
    old = scan_with(body, (slice(100, 108), slice(77, 83)), (slice(120, 128), slice(77, 83)))
    new = scan_with(body, (slice(120, 128), slice(77, 83)), (slice(134, 142), slice(77, 83)))
    assert groups(new, old) == [
        ([], [("a", 1), ("p", 1)]),
        ([("a", 1), ("p", 1)], [("a", 2), ("p", 2)]),
        ([("a", 2), ("p", 2)], []),
    ]


def test_lesions_merge_and_split(body):
    two = scan_with(body, (slice(100, 110), slice(77, 83)), (slice(116, 122), slice(77, 83)))
    one = scan_with(body, (slice(98, 124), slice(76, 84)))
    joined = [([("a", 1), ("p", 1)], [("a", 1), ("a", 2), ("p", 1), ("p", 2)])]
    assert groups(one, two) == joined
    assert groups(two, one) == [joined[0][::-1]]
    (lesion,) = compare(one, two).lesions
    assert lesion.change == "larger"
    (lesion,) = compare(two, one).lesions
    assert lesion.change == "smaller"


def test_a_lesion_seen_from_the_front_now_and_from_behind_before_is_one(body):
    old = scan_with(body, (slice(100, 108), slice(50, 58), 1))
    new = scan_with(body, (slice(101, 109), slice(51, 59), 0))
    assert groups(new, old) == [([("a", 1)], [("p", 1)])]
    (lesion,) = compare(new, old).lesions
    assert (lesion.change, lesion.area_ratio) == ("same", None)
    assert "opposite views" in lesion.reason
    # On the other side of the body it is another lesion.
    other = scan_with(body, (slice(101, 109), slice(100, 108), 0))
    assert len(groups(other, old)) == 2


def test_the_same_place_of_the_other_side_is_another_lesion(body):
    left = scan_with(body, (slice(270, 280), slice(96, 104)))
    right = scan_with(body, (slice(270, 280), slice(57, 65)))
    assert {(lesion.change.value, lesion.side) for lesion in compare(left, right).lesions} == {
        ("new", "left"),
        ("gone", "right"),
    }


def test_a_hot_spot_painted_beside_bone_belongs_to_the_nearest_bone(body):
    painted = scan_with(body, (slice(270, 280), slice(107, 112)))
    (spot,) = (s for s in painted.measured.measures.hot_spots if s.view is ViewName.ANTERIOR)
    assert spot.region == "background"
    assert groups(painted, painted) == [([("a", 1), ("p", 1)], [("a", 1), ("p", 1)])]
    lonely = scan_with(body, (slice(2, 5), slice(2, 5)))
    assert {lesion.change for lesion in compare(lonely, scan_with(body)).lesions} == {"unseen"}


def test_without_hot_spots_there_are_no_lesions(body):
    assert groups(scan_with(body), scan_with(body)) == []
    assert compare(scan_with(body), scan_with(body)).lesions == ()
