"""What a user says about a scan is applied, recorded, and nothing else changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_bonescint.scan import NO_SPACING, VIEW_ASSUMED, VIEWS_ASSUMED, Scan, View, ViewName, ViewSource
from napari_bonescint.scan_edits import CannotRearrange, flip, inverted, name_views, split_side_by_side, with_spacing

ANTERIOR, POSTERIOR = ViewName.ANTERIOR, ViewName.POSTERIOR


def unnamed_scan(views: int = 1, columns: int = 40) -> Scan:
    counts = np.arange(views * 50 * columns).reshape(views, 50, columns)
    names = (ANTERIOR, POSTERIOR)[:views]
    assumed = VIEW_ASSUMED if views == 1 else VIEWS_ASSUMED
    return Scan(
        counts, tuple(View(n, ViewSource.ASSUMED) for n in names), None, warnings=(assumed, NO_SPACING, "other")
    )


def test_naming_the_only_view():
    scan = unnamed_scan()
    named = name_views(scan, POSTERIOR)
    assert named.views == (View(POSTERIOR, ViewSource.USER),)
    assert named.warnings == (NO_SPACING, "other")
    np.testing.assert_array_equal(named.counts, scan.counts)


def test_naming_the_first_of_two_views_posterior_puts_the_other_first():
    scan = unnamed_scan(2)
    named = name_views(scan, POSTERIOR)
    assert named.views == (View(ANTERIOR, ViewSource.USER), View(POSTERIOR, ViewSource.USER))
    assert named.warnings == (NO_SPACING, "other")
    np.testing.assert_array_equal(named.counts, scan.counts[::-1])


def test_a_user_may_change_their_mind():
    assert name_views(name_views(unnamed_scan(), POSTERIOR), ANTERIOR).views == (View(ANTERIOR, ViewSource.USER),)


def test_the_user_overrules_the_file_and_that_is_recorded_and_told():
    scan = replace(unnamed_scan(), views=(View(POSTERIOR),), warnings=())
    assert name_views(scan, POSTERIOR) is scan
    overruled = name_views(scan, ANTERIOR)
    assert overruled.views == (View(ANTERIOR, ViewSource.OVERRULED),)
    assert overruled.warnings == ("The file names the anterior view posterior; the user's name was used.",)
    assert name_views(overruled, POSTERIOR).views == scan.views


def test_the_user_overrules_both_views_of_a_file():
    files = (Path("a.dcm"), Path("p.dcm"))
    scan = replace(unnamed_scan(2), views=(View(ANTERIOR), View(POSTERIOR)), warnings=(), sources=files)
    assert name_views(scan, ANTERIOR) is scan
    overruled = name_views(scan, POSTERIOR)
    assert overruled.views == (View(ANTERIOR, ViewSource.OVERRULED), View(POSTERIOR, ViewSource.OVERRULED))
    np.testing.assert_array_equal(overruled.counts, scan.counts[::-1])
    assert overruled.sources == files[::-1]
    assert len(overruled.warnings) == 2


def test_of_a_view_that_the_file_names_and_one_that_it_does_not_each_keeps_its_source():
    scan = replace(unnamed_scan(2), views=(View(ANTERIOR), View(POSTERIOR, ViewSource.ASSUMED)))
    assert [view.source for view in name_views(scan, ANTERIOR).views] == [ViewSource.FILE, ViewSource.USER]
    assert [view.source for view in name_views(scan, POSTERIOR).views] == [ViewSource.USER, ViewSource.OVERRULED]


def test_spacing_where_the_file_gives_none():
    spaced = with_spacing(unnamed_scan(), (2.4, 2.2))
    assert spaced.spacing == (2.4, 2.2)
    assert spaced.warnings == (VIEW_ASSUMED, "other")


def test_spacing_of_the_file_stands():
    scan = replace(unnamed_scan(), spacing=(2.4, 2.4), warnings=())
    assert with_spacing(scan, (2.4, 2.4)).warnings == ()
    kept = with_spacing(scan, (2.0, 2.0))
    assert kept.spacing == (2.4, 2.4)
    assert "2.4 x 2.4 mm" in kept.warnings[0]


@pytest.mark.parametrize("spacing", [(0.0, 1.0), (-2.0, 2.0), (float("nan"), 2.0), (100, 100), (2, 20)])
def test_impossible_spacing(spacing):
    with pytest.raises(CannotRearrange, match="is impossible"):
        with_spacing(unnamed_scan(), spacing)


def test_flip_mirrors_one_view_and_records_it():
    scan = unnamed_scan(2)
    flipped = flip(scan, POSTERIOR)
    np.testing.assert_array_equal(flipped.counts[0], scan.counts[0])
    np.testing.assert_array_equal(flipped.counts[1], scan.counts[1, :, ::-1])
    assert [view.flipped for view in flipped.views] == [False, True]
    assert not flipped.views[1].patient_left_on_image_right
    np.testing.assert_array_equal(flip(flipped, POSTERIOR).counts, scan.counts)
    assert flip(flipped, POSTERIOR).views == scan.views


def test_flip_of_a_view_that_is_not_there_changes_nothing():
    scan = unnamed_scan()
    assert flip(scan, POSTERIOR).views == scan.views
    np.testing.assert_array_equal(flip(scan, POSTERIOR).counts, scan.counts)


@pytest.mark.parametrize("columns", [40, 41])
def test_split(columns):
    scan = unnamed_scan(columns=columns)
    split = split_side_by_side(scan)
    assert split.views == (View(ANTERIOR, ViewSource.USER), View(POSTERIOR, ViewSource.USER))
    np.testing.assert_array_equal(split.counts[0], scan.counts[0, :, :20])
    np.testing.assert_array_equal(split.counts[1], scan.counts[0, :, -20:])
    assert split.warnings == (NO_SPACING, "other")


def test_split_of_what_cannot_be_split():
    with pytest.raises(CannotRearrange, match="has 2 views already"):
        split_side_by_side(unnamed_scan(2))
    with pytest.raises(CannotRearrange, match="20 pixels wide, too narrow"):
        split_side_by_side(unnamed_scan(columns=20))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float32])
def test_inverted_counts_have_the_same_range_and_come_back(dtype):
    counts = np.array([[100, 250, 120], [101, 200, 249]], dtype)
    turned = inverted(counts)
    assert turned.dtype == dtype
    np.testing.assert_array_equal(turned, [[250, 100, 230], [249, 150, 101]])
    np.testing.assert_array_equal(inverted(turned), counts)


def test_halves_of_a_mirrored_or_inverted_view_stay_so():
    view = View(ANTERIOR, ViewSource.ASSUMED, flipped=True, inverted=True)
    halves = split_side_by_side(replace(unnamed_scan(), views=(view,))).views
    assert halves == tuple(View(name, ViewSource.USER, flipped=True, inverted=True) for name in (ANTERIOR, POSTERIOR))
