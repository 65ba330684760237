"""What an export holds, read with other libraries."""

from __future__ import annotations

import gzip
import io
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pydicom
import pytest
import tifffile
from nibabel.nifti1 import Nifti1Image
from PIL import Image

from napari_bonescint.formats.dicom.source_views import SourceMissing
from napari_bonescint.formats.export import Export, Form, NotAName, encode
from napari_bonescint.formats.masks.registry import MaskOfScan
from napari_bonescint.formats.opening import open_scan

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_bonescint.scan import Scan


def regions_of(scan: Scan) -> np.ndarray:
    regions = np.zeros(scan.counts.shape, np.uint8)
    regions[0, 20:40, 10:20] = 5
    regions[-1, 50:60, 20:30] = 13
    return regions


def test_all_forms_of_both_views(write_nm: Callable[..., Path]) -> None:
    scan = open_scan(write_nm())
    regions = regions_of(scan)
    files = encode(Export(scan, MaskOfScan(scan, regions)), list(Form), "nm 7")
    assert sorted(files) == [
        "nm 7.anterior.counts.nii.gz",
        "nm 7.anterior.nii.gz",
        "nm 7.posterior.counts.nii.gz",
        "nm 7.posterior.nii.gz",
        "nm 7.preview.png",
        "nm 7.regions.tif",
        "nm 7.seg.dcm",
    ]
    np.testing.assert_array_equal(tifffile.imread(io.BytesIO(files["nm 7.regions.tif"])), regions)
    for plane, counts, view in zip(regions, scan.counts, scan.views, strict=True):
        for name, expected in ((f"nm 7.{view.name}.nii.gz", plane), (f"nm 7.{view.name}.counts.nii.gz", counts)):
            image = Nifti1Image.from_bytes(gzip.decompress(files[name]))
            np.testing.assert_array_equal(np.asanyarray(image.dataobj)[:, :, 0].T, expected)
    assert pydicom.dcmread(io.BytesIO(files["nm 7.seg.dcm"])).NumberOfFrames == 2


def test_a_view_without_a_mask_is_in_the_picture_and_among_the_images_only(scan: Scan) -> None:
    front = replace(scan, counts=scan.counts[:1], views=scan.views[:1])
    export = Export(scan, MaskOfScan(front, regions_of(front)))
    files = encode(export, [Form.NIFTI, Form.COUNTS, Form.PICTURE], "s")
    assert {name for name in files if name.endswith("nii.gz")} == {
        "s.anterior.nii.gz",
        "s.anterior.counts.nii.gz",
        "s.posterior.counts.nii.gz",
    }
    picture = np.asarray(Image.open(io.BytesIO(files["s.preview.png"])).convert("RGB")).astype(int)
    coloured = np.ptp(picture, axis=2).max(axis=0) > 40
    middle = picture.shape[1] // 2
    assert coloured[:middle].any()
    assert not coloured[middle:].any()
    # Without any mask there are images and pictures alone.
    assert sorted(encode(Export(scan, None), list(Form), "s")) == [
        "s.anterior.counts.nii.gz",
        "s.posterior.counts.nii.gz",
        "s.preview.png",
    ]


@pytest.mark.parametrize("name", ["", "../s", "a/b", "nul", ".s"])
def test_names_lead_into_no_other_folder(scan: Scan, name: str) -> None:
    with pytest.raises(NotAName):
        encode(Export(scan, None), [Form.COUNTS], name)


def test_without_its_file_a_scan_makes_no_seg(scan: Scan) -> None:
    with pytest.raises(SourceMissing):
        encode(Export(scan, MaskOfScan(scan, regions_of(scan))), [Form.TIFF, Form.SEG], "s")
