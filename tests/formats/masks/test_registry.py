"""Masks come back from every format as they were: values, views, spacing, and on the right frames."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dicom_files import some_counts
from napari_bonescint.formats.masks.mask import lay_on
from napari_bonescint.formats.masks.registry import WRITERS, MaskOfScan, read_mask
from napari_bonescint.formats.opening import open_scan
from napari_bonescint.scan import Scan, View, ViewName, spacing_problem

if TYPE_CHECKING:
    from pathlib import Path

# Those that an image of 41 x 23 pixels can have.
SPACINGS = st.none() | st.tuples(*[st.floats(1.25, 20).map(lambda mm: round(mm, 6))] * 2).filter(
    lambda spacing: spacing_problem(spacing, (41, 23)) is None
)
COUNTS = some_counts(2, 41, 23)


def mask_of(scan: Scan, seed: int, *, names_regions: bool = True) -> MaskOfScan:
    regions = np.random.default_rng(seed).integers(0, 17 if names_regions else 2, scan.counts.shape, np.uint8)
    return MaskOfScan(scan, regions, names_regions)


def round_trip(mask: MaskOfScan, form: str, folder: Path) -> np.ndarray:
    read = [read_mask(path, scan=mask.scan if form == "seg" else None) for path in WRITERS[form](folder / "m", mask)]
    assert {each.names_regions for each in read} == {mask.names_regions}
    assert {each.spacing for each in read} == {mask.scan.spacing}
    return lay_on(mask.scan, read).regions


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    spacing=SPACINGS,
    views=st.lists(st.sampled_from(ViewName), min_size=1, max_size=2, unique=True).map(sorted),
    flipped=st.booleans(),
    turned=st.sampled_from([0, 90, 180, 270]),
    names_regions=st.booleans(),
    form=st.sampled_from(["tiff", "nifti"]),
    seed=st.integers(0, 99),
)
def test_files_without_source(spacing, views, flipped, turned, names_regions, form, seed, tmp_path):
    scan = Scan(COUNTS[: len(views)], tuple(View(name, flipped=flipped).turned_by(turned) for name in views), spacing)
    mask = mask_of(scan, seed, names_regions=names_regions)
    np.testing.assert_array_equal(round_trip(mask, form, tmp_path), mask.regions)
    # The same scan, neither mirrored nor turned by the user, gets the mask as its file shows it.
    written = [read_mask(path) for path in WRITERS[form](tmp_path / "m", mask)]
    stored = np.stack([view.as_in_file(counts) for view, counts in zip(scan.views, scan.counts, strict=True)])
    other = replace(scan, counts=stored, views=tuple(map(View, views)))
    expected = [view.as_in_file(plane) for view, plane in zip(scan.views, mask.regions, strict=True)]
    np.testing.assert_array_equal(lay_on(other, written).regions, expected)


def test_a_mask_without_bone(write_nm, tmp_path):
    scan = open_scan(write_nm())
    for form in ("seg", "nifti", "tiff"):
        empty = MaskOfScan(scan, np.zeros(scan.counts.shape, np.uint8))
        assert not round_trip(empty, form, tmp_path).any()
