"""Files that are odd, damaged or no DICOM at all: a scan or one sentence, whatever the bytes."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from dicom_files import nm_dataset, save, some_counts
from napari_bonescint.errors import BonescintError
from napari_bonescint.formats.nuclear_medicine import read_nuclear_medicine
from napari_bonescint.formats.refusal import Refusal


def test_file_without_preamble_or_meta_information(write_nm, tmp_path):
    ds = pydicom.dcmread(write_nm())
    bare = Dataset(ds)
    plain = tmp_path / "bare"
    bare.save_as(plain, implicit_vr=True, little_endian=True, enforce_file_format=False)
    assert b"DICM" not in plain.read_bytes()[:200]
    np.testing.assert_array_equal(read_nuclear_medicine(plain).counts, some_counts(2))


def test_odd_values_elsewhere_do_not_matter(write_nm, recwarn):
    path = write_nm(PatientWeight=80)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"19500102", b"unknown ").replace(b"PARA", b"par\xff"))
    assert len(read_nuclear_medicine(path).views) == 2
    assert not recwarn.list


FILES = {
    "is empty": b"",
    "is no DICOM file": b"just a text file\n" * 40,
    "damaged or cut off": bytes(128) + b"DICM",
    "is encrypted": bytes.fromhex("3080 06092a864886f70d010703 a080") + bytes(200),
}


@pytest.mark.parametrize("reason", FILES)
def test_other_files(tmp_path, reason):
    path = tmp_path / "x.dcm"
    path.write_bytes(FILES[reason])
    with pytest.raises(Refusal, match=f"^x.dcm: The file .*{reason}"):
        read_nuclear_medicine(path)


@pytest.fixture(scope="module")
def whole_file(tmp_path_factory) -> bytes:
    return save(nm_dataset(some_counts(2)), tmp_path_factory.mktemp("whole") / "w.dcm").read_bytes()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_truncated_anywhere(tmp_path, whole_file, data):
    path = tmp_path / "cut.dcm"
    path.write_bytes(whole_file[: data.draw(st.integers(1, len(whole_file) - 1))])
    with pytest.raises(BonescintError):
        read_nuclear_medicine(path)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_flipped_bytes_in_the_header(tmp_path, whole_file, data):
    damaged = bytearray(whole_file)
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(128, 2200))] = data.draw(st.integers(0, 255))
    path = tmp_path / "flipped.dcm"
    path.write_bytes(damaged)
    with suppress(BonescintError):
        read_nuclear_medicine(path)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=st.sampled_from([b"", b"\x08\x00\x08\x00", bytes(128) + b"DICM"]), rest=st.binary(min_size=1))
def test_random_bytes(tmp_path, start, rest):
    path = tmp_path / "random.dcm"
    path.write_bytes(start + rest)
    with pytest.raises(BonescintError):
        read_nuclear_medicine(path)
