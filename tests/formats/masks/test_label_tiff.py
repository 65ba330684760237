"""Masks as TIFF keep their values, shape and spacing, for us and for others."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from napari_bonescint.errors import BonescintError
from napari_bonescint.files.atomic import CannotWrite
from napari_bonescint.formats.masks.label_tiff import read_labels, read_mask_tiff, write_labels
from napari_bonescint.formats.safe_reading.refusal import Refusal


def some_masks(views: int) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 17, (views, 61, 33), dtype=np.uint8)


@pytest.mark.parametrize("views", [1, 2])
@pytest.mark.parametrize("spacing", [(2.4, 2.213), None])
def test_round_trip(tmp_path, views, spacing):
    masks = some_masks(views)
    write_labels(tmp_path / "m.tif", masks, spacing)
    read = read_labels(tmp_path / "m.tif")
    np.testing.assert_array_equal(read.masks, masks)
    assert read.masks.dtype == np.uint8
    assert read.spacing == spacing


@pytest.mark.parametrize("views", [1, 2])
def test_other_programs_see_views_and_spacing(tmp_path, views):
    masks = some_masks(views)
    write_labels(tmp_path / "m.tif", masks, (2.4, 2.0))
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "m.tif"), masks)
    with Image.open(tmp_path / "m.tif") as image:
        assert image.n_frames == views
        x_per_inch, y_per_inch = image.info["dpi"]
        assert (25.4 / y_per_inch, 25.4 / x_per_inch) == pytest.approx((2.4, 2.0))


def test_masks_are_compressed(tmp_path):
    write_labels(tmp_path / "m.tif", np.zeros((2, 1024, 256), np.uint8), None)
    assert (tmp_path / "m.tif").stat().st_size < 10_000


def test_spacing_of_a_mask_from_another_program(tmp_path):
    tifffile.imwrite(tmp_path / "m.tif", some_masks(1)[0], resolution=(5.0, 4.0), resolutionunit="CENTIMETER")
    read = read_labels(tmp_path / "m.tif")
    assert read.masks.shape == (1, 61, 33)
    assert read.spacing == pytest.approx((2.5, 2.0))


def test_failed_write_keeps_the_old_masks(tmp_path):
    write_labels(tmp_path / "m.tif", some_masks(2), None)
    with pytest.raises(ValueError, match="not uint8"):
        write_labels(tmp_path / "m.tif", some_masks(2).astype(float), None)
    with pytest.raises(CannotWrite):
        write_labels(tmp_path / "missing" / "m.tif", some_masks(2), None)
    np.testing.assert_array_equal(read_labels(tmp_path / "m.tif").masks, some_masks(2))


def test_what_holds_no_masks(tmp_path):
    tifffile.imwrite(tmp_path / "counts.tif", some_masks(2).astype(np.uint16))
    tifffile.imwrite(tmp_path / "huge.tif", some_masks(1)[0], metadata=None)
    with tifffile.TiffFile(tmp_path / "huge.tif", mode="r+b") as tiff:
        tiff.pages.first.tags["ImageWidth"].overwrite(100_000)
        tiff.pages.first.tags["ImageLength"].overwrite(100_000)
    (tmp_path / "text.tif").write_text("no image")
    for name, reason in {"counts": "uint16", "huge": "larger than", "text": "no TIFF", "gone": "not exist"}.items():
        with pytest.raises(Refusal, match=f"^{name}.tif: .*{reason}"):
            read_labels(tmp_path / f"{name}.tif")


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_cut_off_anywhere(tmp_path, data):
    write_labels(tmp_path / "m.tif", some_masks(2), (2.0, 2.0))
    content = (tmp_path / "m.tif").read_bytes()
    (tmp_path / "cut.tif").write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    with pytest.raises(BonescintError):
        read_labels(tmp_path / "cut.tif")


def test_an_impossible_spacing_of_a_mask_is_none(tmp_path):
    masks = np.ones((1, 40, 20), np.uint8)
    for spacing, read in (((1e300, 2.0), None), ((2.5, 2.0), (2.5, 2.0))):
        write_labels(tmp_path / "m.tif", masks, spacing)
        assert read_mask_tiff(tmp_path / "m.tif").spacing == read
