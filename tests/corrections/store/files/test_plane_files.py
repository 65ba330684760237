"""Pixels of any kind and size come back from their files, or not at all."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from napari_bonescint.corrections.errors import Damaged
from napari_bonescint.corrections.store.files.plane_files import planes_sha256, read_planes, salted
from napari_bonescint.formats.masks.label_tiff import encode_planes

_TYPES = st.sampled_from(["<u1", "<u2", ">u2", "<i2", "<i4", "<u4", "<i8", "<f4", "<f8"])
_PLANES = _TYPES.flatmap(
    lambda dtype: arrays.arrays(
        np.dtype(dtype), st.tuples(st.integers(1, 3), st.integers(1, 7), st.integers(1, 7)), elements={"min_value": 0}
    )
)


@settings(max_examples=60, deadline=None)
@given(planes=_PLANES, spacing=st.none() | st.tuples(st.floats(0.1, 50), st.floats(0.1, 50)))
def test_pixels_come_back(planes: np.ndarray, spacing: tuple[float, float] | None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "counts.tif"
        path.write_bytes(encode_planes(planes, spacing))
        read = read_planes(path, planes.shape, planes_sha256(planes))
    np.testing.assert_array_equal(read, planes)
    assert read.dtype == planes.dtype.newbyteorder("=")


def test_the_hash_depends_on_pixels_type_and_shape_but_not_on_byte_order() -> None:
    planes = np.arange(12, dtype="<u2").reshape(1, 3, 4)
    others = [planes + np.uint16(1), planes.astype("<u4"), planes.reshape(1, 4, 3)]
    assert planes_sha256(planes) == planes_sha256(planes.astype(">u2"))
    assert len({planes_sha256(each) for each in (planes, *others)}) == 4


@pytest.mark.parametrize("keep", [0, 4, 200, -1])
def test_a_file_that_was_cut_off_is_refused(tmp_path: Path, keep: int) -> None:
    planes = np.arange(2000, dtype=np.uint16).reshape(2, 50, 20)
    (tmp_path / "counts.tif").write_bytes(encode_planes(planes, None)[:keep])
    with pytest.raises(Damaged, match=r"counts\.tif: is damaged: its pixels are not those that were saved\.$"):
        read_planes(tmp_path / "counts.tif", planes.shape, planes_sha256(planes))


def test_the_hash_of_a_salted_file_tells_nothing_about_its_pixels_and_everything_about_damage(tmp_path: Path) -> None:
    planes = np.arange(2000, dtype=np.uint16).reshape(2, 50, 20)
    one, other = salted(planes, (2.0, 3.0)), salted(planes, (2.0, 3.0))
    assert one.sha256 not in (other.sha256, planes_sha256(planes))
    path = tmp_path / "counts.tif"
    path.write_bytes(one.content)
    np.testing.assert_array_equal(read_planes(path, planes.shape, one.sha256), planes)
    with pytest.raises(Damaged, match="is damaged"):
        read_planes(path, planes.shape, other.sha256)
