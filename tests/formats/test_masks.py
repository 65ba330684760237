"""Masks come back from every format as they were: values, views, spacing, and on the right frames."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.data import get_testdata_file

from dicom_files import ANTERIOR, PEAK, POSTERIOR, SCATTER, some_counts
from napari_bonescint.formats.dicom_seg import Author
from napari_bonescint.formats.mask import lay_on
from napari_bonescint.formats.masks import WRITERS, MaskOfScan, read_mask
from napari_bonescint.formats.opening import open_scan
from napari_bonescint.rearranging import flip
from napari_bonescint.scan import Scan, View, ViewName

SPACINGS = st.none() | st.tuples(*[st.floats(0.1, 20).map(lambda mm: round(mm, 6))] * 2)
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
    names_regions=st.booleans(),
    form=st.sampled_from(["tiff", "nifti"]),
    seed=st.integers(0, 99),
)
def test_files_without_source(spacing, views, flipped, names_regions, form, seed, tmp_path):
    scan = Scan(COUNTS[: len(views)], tuple(View(name, flipped=flipped) for name in views), spacing)
    mask = mask_of(scan, seed, names_regions=names_regions)
    np.testing.assert_array_equal(round_trip(mask, form, tmp_path), mask.regions)
    # The same scan, not mirrored by the user, gets the mask mirrored.
    written = [read_mask(path) for path in WRITERS[form](tmp_path / "m", mask)]
    other = replace(scan, views=tuple(replace(view, flipped=False) for view in scan.views))
    expected = mask.regions[..., ::-1] if flipped else mask.regions
    np.testing.assert_array_equal(lay_on(other, written).regions, expected)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    spacing=SPACINGS,
    views=st.sampled_from([(ANTERIOR, POSTERIOR), (POSTERIOR, ANTERIOR), (POSTERIOR,), (None,)]),
    windows=st.sampled_from([(PEAK,), (SCATTER, PEAK)]),
    mirrored=st.booleans(),
    names_regions=st.booleans(),
    seed=st.integers(0, 99),
)
def test_dicom_seg(spacing, views, windows, mirrored, names_regions, seed, write_nm, tmp_path):
    counts = some_counts(len(views) * len(windows), 41, 23)
    path = write_nm(counts=counts, views=views, windows=windows, PixelSpacing=spacing and list(spacing))
    scan = open_scan(path)
    scan = flip(scan, ViewName.POSTERIOR) if mirrored else scan
    mask = mask_of(scan, seed, names_regions=names_regions)
    np.testing.assert_array_equal(round_trip(mask, "seg", tmp_path), mask.regions)
    # Without the source, the views' names in the file lead to the same.
    np.testing.assert_array_equal(lay_on(scan, [read_mask(tmp_path / "m.seg.dcm")]).regions, mask.regions)


def test_halves_of_a_split_image_return_to_their_columns(write_nm, tmp_path):
    path = write_nm(counts=some_counts(1, 40, 65), views=(None,))
    mask = mask_of(open_scan(path, split_sides=True, flip_posterior=True), 5)
    np.testing.assert_array_equal(round_trip(mask, "seg", tmp_path), mask.regions)


def test_a_mask_without_bone(write_nm, tmp_path):
    scan = open_scan(write_nm())
    for form in ("seg", "nifti", "tiff"):
        empty = MaskOfScan(scan, np.zeros(scan.counts.shape, np.uint8))
        assert not round_trip(empty, form, tmp_path).any()


@pytest.fixture(params=["nm1", "simulated"])
def sample(request) -> Scan:
    if request.param == "nm1":
        return open_scan(Path(get_testdata_file("JPEG-LL.dcm", download=False)))
    import napari_bonescint

    return open_scan(Path(napari_bonescint.__file__).parent / "samples" / "simulated.dcm")


def test_highdicom_reads_our_segmentation(sample, tmp_path):
    from highdicom.seg import segread

    regions = np.zeros(sample.counts.shape, np.uint8)
    regions[:, 100:300, 100:140] = np.random.default_rng(1).integers(0, 17, (len(regions), 200, 40))
    (path,) = WRITERS["seg"](tmp_path / "m", MaskOfScan(sample, regions, author=Author("some-model", corrected=True)))
    segmentation = segread(path)
    assert segmentation.number_of_segments == 16
    rib = segmentation.get_segment_description(6)
    assert (rib.segment_label, rib.segmented_property_type.value) == ("ribs", "113197003")
    assert (rib.algorithm_type.value, rib.SegmentAlgorithmName) == ("SEMIAUTOMATIC", "some-model")
    instance = segmentation.get_source_image_uids()[0][2]
    options = {"combine_segments": True, "assert_missing_frames_are_empty": True}
    if len(regions) == 1:
        read = segmentation.get_pixels_by_source_instance([instance], ignore_spatial_locations=True, **options)
    else:
        read = segmentation.get_pixels_by_source_frame(instance, [1, 2], **options)
    np.testing.assert_array_equal(read, regions)


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="needs dciodvfy (Debian package dicom3tools)")
def test_dciodvfy_finds_no_error(sample, tmp_path):
    (path,) = WRITERS["seg"](tmp_path / "m", mask_of(sample, 2))
    said = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, check=False).stderr
    assert "Segmentation" in said
    assert "Error" not in said
