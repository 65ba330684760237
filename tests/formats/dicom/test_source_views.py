"""Views are found again in the DICOM files that they were read from, whatever a user did to them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from pydicom.uid import generate_uid

from dicom_files import ANTERIOR, PEAK, POSTERIOR, SCATTER, some_counts
from napari_bonescint.formats.dicom.source_views import SourceMissing, SourceView, find_views
from napari_bonescint.formats.opening import collect, open_scan
from napari_bonescint.formats.safe_reading.refusal import Refusal
from napari_bonescint.scan import Scan, ViewName
from napari_bonescint.scan_edits import flip, inverted

if TYPE_CHECKING:
    from napari_bonescint.errors import BonescintError

ALL = slice(0, 32)


def test_the_frames_of_the_photopeak_in_the_order_of_the_scan(write_nm):
    scan = open_scan(write_nm(views=(POSTERIOR, ANTERIOR), windows=(SCATTER, PEAK)))
    found = find_views(scan)
    assert found.views == (SourceView(0, 4, ALL, False), SourceView(0, 3, ALL, False))
    assert (found.frames, found.size) == ((4,), (64, 32))
    assert found.headers[0].text("ManufacturerModelName") == "Gamma 2"


def test_a_mirrored_view_and_one_that_the_user_named(write_nm):
    scan = flip(open_scan(write_nm(views=(None, None)), view=ViewName.POSTERIOR), ViewName.POSTERIOR)
    assert find_views(scan).views == (SourceView(0, 2, ALL, False), SourceView(0, 1, ALL, True))


@pytest.mark.parametrize("flipped", [True, False])
@pytest.mark.parametrize("turned", [90, 180, 270])
def test_a_turned_view_is_cut_and_pasted_as_its_file_shows_it(write_nm, flipped, turned):
    scan = open_scan(write_nm())
    views = tuple(replace(view, flipped=flipped).turned_by(turned) for view in scan.views)
    counts = np.stack([view.as_shown(plane) for view, plane in zip(views, scan.counts, strict=True)])
    places = find_views(replace(scan, views=views, counts=counts)).views
    for place, shown, stored in zip(places, counts, scan.counts, strict=True):
        np.testing.assert_array_equal(place.cut(stored), shown)
        frame = np.zeros_like(stored)
        place.paste(shown, frame)
        np.testing.assert_array_equal(frame, stored)


@pytest.mark.parametrize("whole_first", [True, False])
def test_halves_of_a_frame_that_was_inverted_before_or_after(write_nm, whole_first):
    scan = open_scan(write_nm(counts=some_counts(1, 40, 64), views=(None,)), split_sides=True)
    frame = np.hstack([*scan.counts])
    counts = np.split(inverted(frame), 2, axis=1) if whole_first else [inverted(half) for half in scan.counts]
    views = tuple(replace(view, inverted=True) for view in scan.views)
    found = find_views(replace(scan, counts=np.stack(counts), views=views))
    assert [view.columns for view in found.views] == [slice(0, 32), slice(32, 64)]
    with pytest.raises(SourceMissing):
        find_views(replace(scan, counts=np.stack(counts)))


def test_a_view_whose_neighbour_was_blank(write_nm):
    counts = some_counts(2)
    counts[0] = 0
    assert find_views(open_scan(write_nm(counts=counts))).views == (SourceView(0, 2, ALL, False),)


@pytest.mark.parametrize(("width", "right"), [(64, 32), (65, 33)])
def test_halves_of_one_frame(write_nm, width, right):
    scan = open_scan(write_nm(counts=some_counts(1, 40, width), views=(None,)), split_sides=True, flip_posterior=True)
    found = find_views(scan)
    assert found.views == (SourceView(0, 1, ALL, False), SourceView(0, 1, slice(right, width), True))
    assert found.size == (40, width)


def test_frames_of_equal_counts_are_told_apart_by_their_names(write_nm):
    counts = np.repeat(some_counts(1), 2, axis=0)
    scan = open_scan(write_nm(counts=counts, views=(POSTERIOR, ANTERIOR)))
    assert [view.frame for view in find_views(scan).views] == [2, 1]
    unnamed = open_scan(write_nm(counts=counts, views=(None, None)), view=ViewName.POSTERIOR)
    assert sorted(view.frame for view in find_views(unnamed).views) == [1, 2]


def two_files(write_nm) -> Scan:
    """A scan of a posterior and an anterior file, in that order on the disk."""
    study, counts = generate_uid(), some_counts(2)
    paths = [
        write_nm(f"{i}.dcm", counts=counts[i : i + 1], views=(view,), StudyInstanceUID=study)
        for i, view in enumerate((POSTERIOR, ANTERIOR))
    ]
    (source,) = collect(paths).sources
    return source.open()


def test_a_scan_of_two_files(write_nm):
    found = find_views(two_files(write_nm))
    assert found.views == (SourceView(0, 1, ALL, False), SourceView(1, 1, ALL, False))
    assert found.frames == (1, 1)


@pytest.mark.parametrize("mirrored", [False, True])
def test_what_is_pasted_is_cut_again_and_the_rest_of_the_frame_is_left(mirrored):
    place, view = SourceView(0, 1, slice(33, 65), mirrored), some_counts(1, 40, 32)[0].astype(np.uint8)
    frame = np.full((40, 65), 255, np.uint8)
    place.paste(view, frame)
    np.testing.assert_array_equal(place.cut(frame), view)
    np.testing.assert_array_equal(frame[:, 33:], view[:, ::-1] if mirrored else view)
    assert (frame[:, :33] == 255).all()


def refused(scan: Scan, kind: type[BonescintError] = SourceMissing) -> str:
    with pytest.raises(kind) as error:
        find_views(scan)
    return str(error.value)


def test_what_is_not_found_is_one_sentence(write_nm, tmp_path):
    scan = open_scan(write_nm())
    assert refused(replace(scan, sources=())) == (
        "scan: the DICOM file of this scan is needed, but the scan names no file."
    )
    other = open_scan(write_nm("other.dcm", counts=some_counts(2) + 1))
    assert (
        refused(replace(scan, sources=other.sources)) == "other: the counts of its anterior view are not in other.dcm."
    )
    swapped = replace(scan, counts=scan.counts[:, ::-1])
    assert refused(swapped) == "scan: the counts of its anterior view are not in scan.dcm."
    small = open_scan(write_nm("small.dcm", counts=some_counts(2, 32)))
    assert refused(replace(scan, sources=(*scan.sources, *small.sources))) == (
        "scan: its files have frames of different sizes, so its views cannot be found."
    )
    Image.fromarray(some_counts(1)[0]).save(tmp_path / "scan.png")
    assert refused(open_scan(tmp_path / "scan.png")).startswith("scan.png: is no DICOM file")


def test_a_file_that_has_gone_or_been_cut_is_refused_as_a_file(write_nm):
    scan = two_files(write_nm)
    scan.sources[1].write_bytes(scan.sources[1].read_bytes()[:-100])
    assert refused(scan, Refusal).startswith("0.dcm: The pixel data is cut off")
    scan.sources[0].unlink()
    assert refused(scan, Refusal) == "1.dcm: The file does not exist; check the path."
