"""Sizes and values that no planar scan has are refused, at their very limits, and blank views left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_bonescint.formats.safe_reading.plausibility import (
    require_counts,
    require_possible_size,
    without_blank_views,
)
from napari_bonescint.formats.safe_reading.refusal import Refusal
from napari_bonescint.scan import Scan, View, ViewName

PATH = Path("folder", "scan.dcm")
BODY = np.arange(20 * 16).reshape(20, 16)
BLANK = np.full_like(BODY, 3)


@pytest.mark.parametrize(
    ("rows", "columns", "sentence"),
    [
        (16, 16, None),
        (8192, 8192, None),
        (1024, 15, "scan.dcm: The image is 15 x 1024 pixels, too small to show a skeleton."),
        (0, 256, "scan.dcm: The image is 256 x 0 pixels, too small to show a skeleton."),
        (-1, 256, "scan.dcm: The image is 256 x -1 pixels, too small to show a skeleton."),
        (8193, 16, "scan.dcm: The image is 16 x 8193 pixels, larger than any planar scan (at most 8192 a side)."),
    ],
)
def test_sizes(rows: int, columns: int, sentence: str | None) -> None:
    if sentence is None:
        require_possible_size(PATH, rows, columns)
        return
    with pytest.raises(Refusal) as refused:
        require_possible_size(PATH, rows, columns)
    assert str(refused.value) == sentence


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32", "float16", "float64", ">u2", "bool"])
def test_counts_of_any_real_type_pass_if_one_view_has_two_values(dtype: str) -> None:
    require_counts(PATH, np.stack([BODY > 9, BLANK > 9]).astype(dtype))


NO_COUNTS = {
    "The file has pixels that are not numbers (NaN or infinite); export it again.": np.where(BODY == 5, np.nan, BODY),
    "The file has pixels that are not numbers (NaN or infinite); export it again. ": np.where(BODY == 5, np.inf, BODY),
    "The file has negative pixels, so they are not counts; export the image as acquired.": BODY - 1,
    "The file holds only zeros, so there is no scan in it.": 0 * BODY,
    "The file has one value in every pixel, so there is no scan in it.": BLANK,
}


@pytest.mark.parametrize("reason", NO_COUNTS)
def test_what_is_no_counts(reason: str) -> None:
    with pytest.raises(Refusal) as refused:
        require_counts(PATH, np.stack([NO_COUNTS[reason]] * 2))
    assert refused.value.reason == reason.rstrip()


@pytest.mark.parametrize("left", [0, 1])
def test_a_blank_view_is_left_out_and_that_is_told(left: int) -> None:
    planes = [BLANK, BLANK]
    planes[left] = BODY
    scan = Scan(np.stack(planes), (View(ViewName.ANTERIOR), View(ViewName.POSTERIOR)), (2.0, 2.0), warnings=("Dim.",))
    without = without_blank_views(scan)
    np.testing.assert_array_equal(without.counts, BODY[np.newaxis])
    assert without.views == (scan.views[left],)
    blank = scan.views[1 - left].name
    assert without.warnings == ("Dim.", f"The {blank} view is blank and was left out.")


def test_a_scan_without_a_blank_view_stays_as_it_is() -> None:
    scan = Scan(BODY[np.newaxis], (View(ViewName.POSTERIOR),), None)
    assert without_blank_views(scan) is scan
