"""What is claimed as a scan or its mask after a short look."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import nibabel
import numpy as np
import pytest
import tifffile
from pydicom.uid import DeflatedExplicitVRLittleEndian

from napari_bonescint.formats.recognition import may_be_scan_or_mask

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.parametrize("name", ["scan.dcm", "IM1", "1.2.840.10008", "scan.nm"])
def test_only_nuclear_medicine_is_ours_whatever_the_name(write_nm: Callable[..., Path], name: str) -> None:
    assert may_be_scan_or_mask(write_nm(name))
    assert may_be_scan_or_mask(write_nm(name, ImageType=["ORIGINAL", "PRIMARY", "TOMO", "EMISSION"]))
    assert may_be_scan_or_mask(write_nm(name, Modality="SEG"))
    assert not may_be_scan_or_mask(write_nm(name, Modality="CT"))


def test_a_deflated_file_is_known_by_its_start(write_nm: Callable[..., Path]) -> None:
    for modality, ours in (("NM", True), ("SEG", True), ("CT", False)):
        path = write_nm(f"{modality}.x", syntax=DeflatedExplicitVRLittleEndian, Modality=modality)
        assert may_be_scan_or_mask(path) is ours
        path.write_bytes(path.read_bytes()[:-400])  # without the end, all of it could not be inflated
        assert may_be_scan_or_mask(path) is ours


def test_a_file_that_is_no_dicom_is_ours_by_its_name_alone(tmp_path: Path) -> None:
    for name, ours in (("damaged.dcm", True), ("README", False), ("notes.123", False), ("scan.nm", False)):
        (tmp_path / name).write_text("text")
        assert may_be_scan_or_mask(tmp_path / name) is ours
    for name in ("empty.dcm", "empty"):
        (tmp_path / name).touch()
        assert not may_be_scan_or_mask(tmp_path / name)
    assert not may_be_scan_or_mask(tmp_path / "missing")


def test_a_dicom_file_that_ends_early_is_ours_so_that_the_user_learns_why(
    write_nm: Callable[..., Path], tmp_path: Path
) -> None:
    whole = write_nm("whole").read_bytes()
    (tmp_path / "cut").write_bytes(whole[:140])
    assert may_be_scan_or_mask(tmp_path / "cut")


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
@pytest.mark.parametrize(
    ("shape", "ours"), [((64, 256, 1), True), ((64, 256), True), ((64, 256, 2), True), ((64, 64, 40), False)]
)
def test_a_volume_is_no_mask_of_a_view(tmp_path: Path, shape: tuple[int, ...], ending: str, *, ours: bool) -> None:
    path = tmp_path / f"x{ending}"
    nibabel.save(nibabel.Nifti1Image(np.zeros(shape, np.uint8), np.eye(4)), path)
    assert may_be_scan_or_mask(path) is ours
    path.write_bytes(b"text" if ending == ".nii" else gzip.compress(b"text"))
    assert not may_be_scan_or_mask(path)


def test_a_mask_is_known_by_its_ending(tmp_path: Path) -> None:
    for name, ours in (("a.regions.tif", True), ("a.skeleton.tif", True), ("a.tif", False)):
        tifffile.imwrite(tmp_path / name, np.ones((20, 20), np.uint8))
        assert may_be_scan_or_mask(tmp_path / name) is ours
    assert not may_be_scan_or_mask(tmp_path / "missing.regions.tif")


def test_a_folder_is_ours_if_a_scan_lies_in_it(write_nm: Callable[..., Path], tmp_path: Path) -> None:
    for number in range(60):
        (tmp_path / f"photo{number}.jpg").write_text("no scan")
        write_nm(f"ct/IM{number}", Modality="CT")
    tifffile.imwrite(tmp_path / "a.regions.tif", np.ones((20, 20), np.uint8))
    assert not may_be_scan_or_mask(tmp_path)
    write_nm("deep/er/IM1")
    assert may_be_scan_or_mask(tmp_path)
    assert not may_be_scan_or_mask(tmp_path / "ct")


def test_a_look_reads_neither_pixels_nor_many_files(
    write_nm: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(300):
        (tmp_path / f"IM{number}").write_bytes(b"no scan" * 100)
    opened = 0
    real = type(tmp_path).open

    def count(path: Path, *arguments: object, **options: object) -> object:
        nonlocal opened
        opened += 1
        return real(path, *arguments, **options)

    monkeypatch.setattr(type(tmp_path), "open", count)
    assert not may_be_scan_or_mask(tmp_path)
    assert 0 < opened < 20
