from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from measurement.comparison.conftest import measured, one_view
from napari_bonescint.anatomy import CODES
from napari_bonescint.formats.dicom.two_studies import TwoStudies
from napari_bonescint.measurement.comparison.changes import Change
from napari_bonescint.measurement.comparison.comparing import CannotCompare, compare
from napari_bonescint.scan import ViewName


def named(comparison):
    return {(lesion.region, lesion.change.value) for lesion in comparison.lesions}


ALL = {("thoracic_spine", "same"), ("thoracic_spine", "new"), ("lumbar_spine", "gone"), ("femur", "larger")}


def test_lesions_are_named_in_another_pose_and_matrix(pair):
    comparison = compare(pair.new, pair.old)
    assert named(comparison) == ALL
    assert [lesion.number for lesion in comparison.lesions] == [1, 2, 3, 4]
    grown = comparison.of(Change.LARGER)[0]
    assert grown.area_ratio > 1.6
    assert f"{grown.area_ratio:.2f} times" in grown.reason
    assert (grown.suspicious, grown.suspicious_before) == (True, True)
    gone = comparison.of(Change.GONE)[0]
    # The place of a lesion that is gone is shown in the new scan: on the bone, and with its number of nothing there.
    for view, (row, column) in gone.places.items():
        plane = [each.name for each in pair.new.scan.views].index(view)
        assert pair.new.regions[plane, round(row), round(column)] == CODES["lumbar_spine"]
        assert pair.new.measured.labels[plane, round(row), round(column)] == 0
    assert comparison.not_comparable == ()
    assert comparison.warnings == ()


def test_the_index_changes_by_the_lesions_and_is_within_noise_if_nothing_changed(pair):
    comparison = compare(pair.new, pair.old)
    indices = [each.measured.measures.index for each in (pair.new, pair.old)]
    assert comparison.index.change == pytest.approx(indices[0].total - indices[1].total)
    assert not comparison.index.within_noise
    by_region = {each.name: each for each in comparison.by_region}
    assert by_region["femur"].change > 0 > by_region["lumbar_spine"].change
    assert by_region["skull"].change == 0
    total = sum(each.change for each in comparison.by_region)
    assert total == pytest.approx(comparison.index_with_distal.change)
    again = compare(pair.old, pair.old)
    assert {lesion.change for lesion in again.lesions} == {Change.SAME}
    assert again.index.change == 0
    assert again.index.within_noise


def test_the_prior_with_the_new_scan_exchanged_gives_the_opposite(pair):
    opposite = {"new": "gone", "gone": "new", "larger": "smaller", "same": "same"}
    back = compare(pair.old, pair.new)
    assert named(back) == {(region, opposite[change]) for region, change in ALL}


@pytest.mark.parametrize("view", list(ViewName))
def test_a_missing_view_is_a_reason_and_leaves_the_other_view_compared(pair, view):
    comparison = compare(pair.new, one_view(pair.old, view))
    assert f"The prior scan has no {view.opposite} view" in comparison.not_comparable[0]
    shown = {lesion.number for lesion in comparison.lesions if view in {key.view for key in (*lesion.new, *lesion.old)}}
    assert {(each.region, each.change.value) for each in comparison.lesions if each.number in shown} <= ALL
    unseen = {each.change for each in comparison.lesions if each.number not in shown}
    assert unseen <= {Change.UNSEEN}
    with pytest.raises(CannotCompare, match="no common view"):
        compare(one_view(pair.new, view), one_view(pair.old, view.opposite))


def test_a_lesion_in_a_bone_that_the_prior_does_not_show_is_not_new(pair):
    regions = pair.old.regions.copy()
    legs = np.isin(regions, [CODES[name] for name in ("femur", "lower_leg", "foot")])
    regions[legs] = 0
    labels = np.where(regions > 0, pair.old.measured.labels, 0).astype(np.uint16)
    comparison = compare(pair.new, measured(pair.old.scan, regions, labels))
    assert named(comparison) == (ALL - {("femur", "larger")}) | {("femur", "unseen")}


def test_a_scan_that_ends_above_the_lesion_shows_no_lesion_gone(pair):
    """The region is there, but its lower part with the lesion is cut off, inside the image."""
    rows = np.flatnonzero((pair.old.regions == CODES["femur"]).any(axis=(0, 2)))
    femur = [spot.row for spot in pair.new.measured.measures.hot_spots if spot.region == "femur"]
    own = np.flatnonzero((pair.new.regions == CODES["femur"]).any(axis=(0, 2)))
    share = (min(femur) - own[0]) / len(own)
    last = int(rows[0] + share * len(rows) - 35 / pair.old.scan.spacing[0])
    regions, labels = pair.old.regions.copy(), pair.old.measured.labels.copy()
    regions[:, last:] = 0
    labels[:, last:] = 0
    comparison = compare(pair.new, measured(pair.old.scan, regions, labels))
    assert named(comparison) == (ALL - {("femur", "larger")}) | {("femur", "unseen")}


def test_without_a_spacing_the_bones_give_the_scale(pair):
    scan = replace(pair.old.scan, spacing=None)
    comparison = compare(pair.new, measured(scan, pair.old.regions, pair.old.measured.labels))
    assert named(comparison) == ALL
    known = compare(pair.new, pair.old).of(Change.LARGER)[0].area_ratio
    assert comparison.of(Change.LARGER)[0].area_ratio == pytest.approx(known, rel=0.15)


def test_other_borders_between_vertebrae_move_no_lesion(pair):
    """Another model may let the lumbar spine begin a vertebra higher."""
    regions = pair.old.regions.copy()
    for plane in regions:
        rows = np.flatnonzero((plane == CODES["thoracic_spine"]).any(axis=1))
        lowest = plane[rows[-1] - round(25 / pair.old.scan.spacing[0]) :]
        lowest[lowest == CODES["thoracic_spine"]] = CODES["lumbar_spine"]
    comparison = compare(pair.new, measured(pair.old.scan, regions, pair.old.measured.labels))
    assert {change for _, change in named(comparison)} == {"same", "new", "gone", "larger"}
    assert len(comparison.lesions) == 4


def test_lesions_that_nobody_suspects_are_left_out_and_those_seen_before_are_not_new(pair):
    harmless = measured(pair.old.scan, pair.old.regions, pair.old.measured.labels, suspicious=False)
    comparison = compare(pair.new, harmless)
    assert named(comparison) == ALL - {("lumbar_spine", "gone")}
    assert not comparison.of(Change.SAME)[0].suspicious_before


def test_what_the_files_say_is_passed_on(pair):
    comparison = compare(pair.new, pair.old, TwoStudies(days=-3, tracers=("HDP", "MDP"), hours=(2.0, 4.5)))
    assert comparison.days == -3
    assert "exchange them" in comparison.warnings[0]
    assert "HDP now, MDP before" in comparison.not_comparable[0]
    assert "2.0 hours now, 4.5 hours before" in comparison.not_comparable[1]


def test_a_view_that_only_one_user_mirrored_is_said(pair):
    views = tuple(replace(view, flipped=view.name is ViewName.POSTERIOR) for view in pair.new.scan.views)
    comparison = compare(replace(pair.new, scan=replace(pair.new.scan, views=views)), pair.old)
    assert named(comparison) == ALL
    assert "The posterior view is mirrored by the user in one of the scans only" in comparison.warnings[0]
