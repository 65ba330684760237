"""Files that are odd, damaged or no DICOM at all: a scan or one sentence, whatever the bytes."""

from __future__ import annotations

import struct
from contextlib import suppress

import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian

from dicom_files import nm_dataset, save, some_counts
from napari_bonescint.errors import BonescintError
from napari_bonescint.formats.dicom.header import parsed_once, read_header
from napari_bonescint.formats.dicom.identity import read_identity
from napari_bonescint.formats.dicom.nuclear_medicine import read_nuclear_medicine, read_planar_header
from napari_bonescint.formats.masks.registry import looks_like_mask, read_mask
from napari_bonescint.formats.safe_reading import budget
from napari_bonescint.formats.safe_reading.refusal import Refusal


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


def test_deflated_files_that_inflate_to_more_than_any_scan_are_refused(write_nm):
    path = write_nm(syntax=DeflatedExplicitVRLittleEndian)
    ds = pydicom.dcmread(path)
    ds.private_block(0x0009, "TEST", create=True).add_new(1, "OB", bytes(150 * 2**20))
    ds.save_as(path, enforce_file_format=True)
    assert path.stat().st_size < 2**20
    for read in (read_header, read_nuclear_medicine, read_mask):
        with pytest.raises(Refusal, match=r"^scan\.dcm: The file inflates to more than 128 MB"):
            read(path)


def test_an_attribute_of_an_unknown_kind_is_a_sentence(write_nm):
    path = write_nm()
    content = bytearray(path.read_bytes())
    at = content.index(b"\x08\x00\x70\x00LO")
    content[at + 4 : at + 6] = b"MA"
    path.write_bytes(content)
    for read in (read_nuclear_medicine, read_planar_header, read_identity, read_mask, looks_like_mask):
        with pytest.raises(Refusal, match=r"^scan\.dcm: The attribute \(0008,0070\) is of the unknown kind 'MA', so"):
            read(path)


def test_an_unknown_kind_within_a_sequence_in_place_of_a_text_is_a_sentence(write_nm):
    nested = Dataset()
    nested.add_new(0x00111001, "LO", "abcd")
    ds = nm_dataset(some_counts(2))
    ds["Manufacturer"] = pydicom.DataElement("Manufacturer", "SQ", [nested])
    path = save(ds, write_nm().with_name("odd.dcm"))
    read_nuclear_medicine(path)
    content = path.read_bytes()
    at = content.index(b"\x11\x00\x01\x10LO")
    path.write_bytes(content[: at + 4] + b"MA" + content[at + 6 :])
    for read in (read_nuclear_medicine, read_planar_header, read_identity, read_mask, looks_like_mask):
        with pytest.raises(Refusal, match=r"^odd\.dcm: The attribute \(0011,1001\) is of the unknown kind 'MA', so"):
            read(path)


def test_values_that_are_absurdly_long_are_not_converted(write_nm):
    ds = nm_dataset(some_counts(2))
    path = save(ds, write_nm().with_name("long.dcm"), ImplicitVRLittleEndian)
    content = path.read_bytes()
    at = content.index(struct.pack("<HHI", 0x28, 0x30, 8))
    value = b"1\\" * 2**20 + b"11"
    path.write_bytes(content[: at + 4] + struct.pack("<I", len(value)) + value + content[at + 16 :])
    header = read_header(path)
    assert header.has("PixelSpacing")
    assert header.values("PixelSpacing") == []
    assert header.integer("Rows") == 64


def test_endless_elements_and_items_are_refused(write_nm, monkeypatch):
    monkeypatch.setattr(budget, "MOST_READS", 5000)
    path = write_nm()
    item = b"\xfe\xff\x00\xe0\x00\x00\x00\x00"
    many = struct.pack("<HH2sHI", 0x7, 0x10, b"SQ", 0, 0xFFFFFFFF) + item * 10_000
    content = path.read_bytes()
    at = content.index(b"\x08\x00\x08\x00CS")
    path.write_bytes(content[:at] + many + content[at:])
    with pytest.raises(Refusal, match="more than 5,000 parts"):
        read_header(path)


def test_nesting_without_end_is_a_sentence(write_nm):
    path = write_nm()
    deep = (struct.pack("<HH2sHI", 0x7, 0x10, b"SQ", 0, 0xFFFFFFFF) + b"\xfe\xff\x00\xe0\xff\xff\xff\xff") * 5000
    content = path.read_bytes()
    at = content.index(b"\x08\x00\x08\x00CS")
    path.write_bytes(content[:at] + deep + content[at:])
    for read in (read_nuclear_medicine, read_planar_header, read_identity, read_mask):
        with pytest.raises(Refusal, match=r"^scan\.dcm: [^\n]*$"):
            read(path)


def test_within_a_block_a_header_is_parsed_once(write_nm):
    paths = [write_nm(f"{number}.dcm") for number in range(9)]
    with parsed_once():
        first = read_header(paths[0])
        write_nm("0.dcm", PatientID="changed")
        assert read_header(paths[0]) is first
        headers = [read_header(path) for path in paths]
        assert read_header(paths[-1]) is headers[-1]
        assert read_header(paths[0]).text("PatientID") == "changed"  # few are kept, since a folder may have thousands
    write_nm("0.dcm", PatientID="again")
    assert read_header(paths[0]).text("PatientID") == "again"
