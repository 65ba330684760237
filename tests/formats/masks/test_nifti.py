"""NIfTI masks as nibabel reads them, files of other programs, and what is refused."""

from __future__ import annotations

import gzip
import struct
from contextlib import suppress

import nibabel
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nibabel.nifti1 import Nifti1Image

from napari_bonescint.errors import BonescintError
from napari_bonescint.files.atomic import CannotWrite
from napari_bonescint.formats.masks.mask import Mask
from napari_bonescint.formats.masks.nifti import encode_counts_nifti, read_mask_nifti, write_mask_nifti
from napari_bonescint.formats.safe_reading import budget
from napari_bonescint.formats.safe_reading.refusal import Refusal
from napari_bonescint.scan import View, ViewName

REGIONS = np.random.default_rng(3).integers(0, 17, (1, 41, 23), np.uint8)
# Where the voxel axes of each view run to, in steps to the patient's right, to the front and upwards.
AS_ACQUIRED = {
    "LIP": np.array([[-1, 0, 0], [0, 0, -1], [0, -1, 0]]),
    "RIA": np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]]),
}


def mask(name: str | None = "anterior", *, flipped: bool = False, **more) -> Mask:
    return Mask(REGIONS, (None if name is None else View(ViewName(name), flipped=flipped),), **{"spacing": None} | more)


def voxels(planes: int = 1, dtype: str = "uint8") -> np.ndarray:
    """Region codes as another program writes them, (x, y, plane)."""
    return np.stack([REGIONS[0].T + (REGIONS[0].T < 16) * plane for plane in range(planes)], -1).astype(dtype)


def affine_of(axes: str) -> np.ndarray:
    """Pixels of 3 x 2 (y, x) units."""
    affine = np.eye(4)
    affine[:3, :3] = AS_ACQUIRED[axes] * (2, 3, 1)
    return affine


def save(path, array, affine=None, unit="mm", code=2):
    """Write it without any comment, as another program would."""
    image = Nifti1Image(array, np.eye(4) if affine is None else affine)
    image.header.set_xyzt_units(unit)
    image.set_sform(image.affine, code)
    image.set_qform(image.affine, code)
    nibabel.save(image, path)
    return path


@pytest.mark.parametrize("shape", [(23, 41), (23, 41, 1), (23, 41, 1, 1), (23, 41, 1, 1, 1), (23, 41, 1, 1, 1, 1, 1)])
def test_axes_of_length_1_say_nothing(tmp_path, shape):
    read = read_mask_nifti(save(tmp_path / "m.nii.gz", voxels().reshape(shape), affine_of("LIP")))
    np.testing.assert_array_equal(read.regions, REGIONS)
    assert read.spacing == (3, 2)
    two = read_mask_nifti(save(tmp_path / "m.nii", voxels(2).reshape(23, 41, 2, 1), code=0))
    np.testing.assert_array_equal(two.regions, voxels(2).transpose(2, 1, 0))


@pytest.mark.parametrize(("name", "axes"), [("anterior", "LIP"), ("posterior", "RIA")])
def test_other_programs_see_the_sides_and_the_spacing(tmp_path, name, axes):
    write_mask_nifti(tmp_path / "m.nii", mask(name, spacing=(2.4, 2.2)))
    image = nibabel.load(tmp_path / "m.nii")
    np.testing.assert_array_equal(np.asarray(image.dataobj)[:, :, 0], REGIONS[0].T)
    assert "".join(nibabel.aff2axcodes(image.affine)) == axes
    np.testing.assert_allclose(image.affine[:3, :3], AS_ACQUIRED[axes] * (2.2, 2.4, 1))
    np.testing.assert_allclose(image.get_qform(), image.get_sform(), atol=1e-6)
    assert image.header.get_xyzt_units()[0] == "mm"


@pytest.mark.parametrize("ending", ["nii", "nii.gz", "NII.GZ"])
@pytest.mark.parametrize("name", ["anterior", "posterior", None])
def test_all_is_read_back(tmp_path, ending, name):
    written = mask(name, flipped=name == "posterior", spacing=(2.123456789012, 1 / 3))
    write_mask_nifti(tmp_path / f"m.{ending}", written)
    assert (tmp_path / f"m.{ending}").read_bytes().startswith(b"\x1f\x8b") is ending.lower().endswith("gz")
    read = read_mask_nifti(tmp_path / f"m.{ending}")
    np.testing.assert_array_equal(read.regions, REGIONS)
    assert (read.views, read.spacing, read.names_regions) == (written.views, written.spacing, True)


def test_no_bone_and_no_spacing_stay_what_they_are(tmp_path):
    empty = Mask(np.zeros_like(REGIONS), (View(ViewName.ANTERIOR),), None)
    for names_regions in (True, False):
        write_mask_nifti(tmp_path / "m.nii", Mask(empty.regions, empty.views, None, names_regions))
        read = read_mask_nifti(tmp_path / "m.nii")
        assert (read.regions.any(), read.spacing, read.names_regions) == (False, None, names_regions)
    assert nibabel.load(tmp_path / "m.nii").header.get_xyzt_units()[0] == "unknown"


def test_two_views_and_a_missing_folder_are_not_written(tmp_path):
    both = Mask(np.zeros((2, 41, 23), np.uint8), (None, None), None)
    with pytest.raises(ValueError, match="holds one view, not 2"):
        write_mask_nifti(tmp_path / "m.nii", both)
    with pytest.raises(CannotWrite, match=r"m\.nii: could not be written"):
        write_mask_nifti(tmp_path / "missing" / "m.nii", mask())


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint32", "float32", "float64"])
def test_a_file_without_orientation_has_its_planes_as_they_lie(tmp_path, dtype):
    for array in (voxels(1, dtype)[:, :, 0], voxels(1, dtype), voxels(2, dtype)):
        read = read_mask_nifti(save(tmp_path / "m.nii", array, code=0))
        np.testing.assert_array_equal(read.regions, array.reshape(23, 41, -1).T)
        assert read.views == (None,) * len(read.regions)


@pytest.mark.parametrize(("unit", "per_mm"), [("mm", 1), ("micron", 1000), ("meter", 0.001)])
def test_an_orientation_as_acquired_names_the_view(tmp_path, unit, per_mm):
    affine = affine_of("RIA") @ np.diag([per_mm] * 3 + [1])
    read = read_mask_nifti(save(tmp_path / "m.nii", voxels(), affine, unit))
    assert read.views == (View(ViewName.POSTERIOR),)
    assert read.spacing == pytest.approx((3, 2))


@pytest.mark.parametrize("unit", ["micron", "meter"])
def test_a_spacing_that_no_scan_has_is_none(tmp_path, unit):
    assert read_mask_nifti(save(tmp_path / "m.nii", voxels(), affine_of("RIA"), unit)).spacing is None


def test_a_comment_that_another_program_has_outdated_is_not_believed(tmp_path):
    write_mask_nifti(tmp_path / "m.nii", mask(flipped=True, spacing=(2.4, 2.2)))
    image = nibabel.load(tmp_path / "m.nii")
    for spacing, expected in (((4.4, 4.8), (4.8, 4.4)), ((np.inf, 2.0), None)):
        image.header["pixdim"][1:3] = spacing
        (tmp_path / "n.nii").write_bytes(Nifti1Image(image.dataobj, None, image.header).to_bytes())
        read = read_mask_nifti(tmp_path / "n.nii")
        assert read.spacing == (expected and pytest.approx(expected))


REFUSED = {
    "axes run to RAS; turn them to LIP (anterior) or RIA (posterior)": lambda path: save(path, voxels()),
    "one orientation for 2 planes": lambda path: save(path, voxels(2), affine_of("LIP")),
    "shape (23, 41, 1, 2); the mask of a view has": lambda path: save(path, np.stack([voxels()] * 2, -1)),
    "shape (23, 41, 3); the mask of a view has": lambda path: save(path, voxels(3)),
    "shape (23, 41, 0); the mask of a view has": lambda path: save(path, voxels()[:, :, :0]),
    "9 x 8 pixels, too small": lambda path: save(path, voxels()[:9, :8]),
    "not whole": lambda path: save(path, voxels(dtype="float32") / 2),
    "not whole; ": lambda path: save(path, np.where(voxels() > 9, np.inf, 1)),
    "colours": lambda path: save(path, voxels().astype([("R", "u1"), ("G", "u1"), ("B", "u1")])),
    "no NIfTI-1 file, or it is damaged": lambda path: path.write_bytes(b"no NIfTI" * 99),
    "values up to 33": lambda path: save(path, 2 * voxels() + 1, code=0),
    "empty": lambda path: path.write_bytes(b""),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_refused_with_one_sentence(tmp_path, reason):
    REFUSED[reason](tmp_path / "m.nii")
    with pytest.raises(BonescintError) as refused:
        read_mask_nifti(tmp_path / "m.nii")
    assert str(refused.value).startswith("m.nii: ")
    assert reason in str(refused.value)


@pytest.mark.parametrize("compressed", [False, True])
def test_a_cut_file_is_refused(tmp_path, compressed):
    path = tmp_path / "m.nii"
    write_mask_nifti(path, mask(spacing=(2.4, 2.2)))
    content = gzip.compress(path.read_bytes()) if compressed else path.read_bytes()
    for length in range(1, len(content), 13):
        path.write_bytes(content[:length])
        with pytest.raises(Refusal, match="damaged"):
            read_mask_nifti(path)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(flips=st.lists(st.tuples(st.integers(0, 479), st.integers(0, 255)), min_size=1, max_size=5))
def test_flipped_bytes_in_the_header_are_a_mask_or_a_sentence(tmp_path, flips):
    write_mask_nifti(tmp_path / "m.nii", mask(spacing=(2.4, 2.2)))
    content = bytearray((tmp_path / "m.nii").read_bytes())
    for place, byte in flips:
        content[place] = byte
    (tmp_path / "m.nii").write_bytes(content)
    with suppress(BonescintError):
        read_mask_nifti(tmp_path / "m.nii")


def test_an_unknown_unit_is_an_unknown_spacing_and_oddities_are_not_logged(tmp_path, caplog):
    image = Nifti1Image(voxels(), np.eye(4))
    image.set_sform(None, 0)
    image.header["xyzt_units"] = 7
    content = image.to_bytes()
    # Its own size is the first number of a header, and one too large here.
    (tmp_path / "m.nii").write_bytes(b"\x5d" + content[1:])
    assert read_mask_nifti(tmp_path / "m.nii").spacing is None
    assert caplog.records == []


def test_files_that_inflate_or_extend_without_end_are_refused(tmp_path, monkeypatch):
    path = tmp_path / "mask.nii"
    write_mask_nifti(path, Mask(np.ones((1, 40, 30), np.uint8), (None,), None))
    content = path.read_bytes()
    bomb = tmp_path / "bomb.nii.gz"
    bomb.write_bytes(gzip.compress(content + bytes(2**28), 1))
    with pytest.raises(Refusal, match=r"^bomb\.nii\.gz: The file inflates to more than 128 MB"):
        read_mask_nifti(bomb)
    monkeypatch.setattr(budget, "MOST_READS", 5000)
    extensions = struct.pack("<2i8s", 16, 6, b"") * 20_000
    begin = struct.pack("<f", 352.0 + len(extensions))
    path.write_bytes(content[:108] + begin + content[112:348] + b"\1\0\0\0" + extensions + bytes(40 * 30))
    with pytest.raises(Refusal, match=r"^mask\.nii: The file has more than 5,000 parts"):
        read_mask_nifti(path)


@pytest.mark.parametrize(
    ("dtype", "stored"),
    [
        *(("uint8", "uint8"), ("uint16", "uint16"), ("int32", "int32"), ("uint32", "int32"), ("int64", "int32")),
        *(("float16", "float32"), ("float32", "float32"), ("float64", "float64")),
    ],
)
@pytest.mark.parametrize("name", ViewName)
def test_counts_have_their_values_sizes_and_the_orientation_of_the_mask(tmp_path, name, dtype, stored):
    counts = np.random.default_rng(1).integers(0, 200, (41, 23)).astype(dtype)
    (tmp_path / "c.nii").write_bytes(encode_counts_nifti(counts, View(name), (2.4, 2.2)))
    image = nibabel.load(tmp_path / "c.nii")
    assert image.get_data_dtype() == stored
    np.testing.assert_array_equal(np.asanyarray(image.dataobj)[:, :, 0].T, counts)
    np.testing.assert_allclose(image.header.get_zooms(), (2.2, 2.4, 1))
    assert image.header.get_xyzt_units()[0] == "mm"
    write_mask_nifti(tmp_path / "m.nii", mask(name, spacing=(2.4, 2.2)))
    np.testing.assert_array_equal(image.affine, nibabel.load(tmp_path / "m.nii").affine)


def test_counts_too_large_for_an_integer_of_32_bits_are_kept_and_no_mask(tmp_path):
    counts = np.full((41, 23), 2**40, np.uint64)
    (tmp_path / "c.nii").write_bytes(encode_counts_nifti(counts, View(ViewName.ANTERIOR), None))
    assert nibabel.load(tmp_path / "c.nii").get_fdata().max() == 2**40
    with pytest.raises(Refusal, match=r"holds the counts of a view and no mask"):
        read_mask_nifti(tmp_path / "c.nii")
