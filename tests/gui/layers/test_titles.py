from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from napari.layers import Image

from napari_bonescint.archive.receiving.private_folder import PrivateFolder
from napari_bonescint.formats.opening import open_scan
from napari_bonescint.gui.layers.scans import scans_to_layers
from napari_bonescint.gui.layers.titles import title_of_mask, titles_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_bonescint.scan import Scan


def layers_of(scan: Scan, title: str) -> list[Image]:
    return [Image(data, **attributes) for data, attributes, _ in scans_to_layers([scan], titles=[title])]


def test_a_title_is_the_name_of_the_file_with_a_number_where_it_is_taken(
    scan: Scan, write_nm: Callable[..., Path]
) -> None:
    scans = [open_scan(write_nm(name)) for name in ("a/bone.dcm", "b/bone.dcm", "other.dcm")]
    assert titles_of(scans, []) == ["bone", "bone (2)", "other"]
    assert titles_of(scans, layers_of(scan, "bone")) == ["bone (2)", "bone (3)", "other"]
    # napari would number a layer, and not its labels.
    assert titles_of(scans[:1], [Image(scan.counts[0], name="bone posterior")]) == ["bone (2)"]


def test_a_file_that_is_named_after_the_patient_gives_a_number_alone(scan: Scan, write_nm: Callable[..., Path]) -> None:
    names = ("Doe_Jane.dcm", "bone-0004711.dcm", "bone.dcm")
    scans = [open_scan(write_nm(name, PatientName="DOE^JANE", PatientID="4711")) for name in names]
    assert titles_of(scans, layers_of(scan, "scan 1")) == ["scan 2", "scan 3", "bone"]


def test_a_file_that_came_from_an_archive_gives_a_number_alone(write_nm: Callable[..., Path]) -> None:
    path = write_nm("bone.dcm")
    folder = PrivateFolder()
    moved = path.rename(folder.path / "1.2.3.dcm")
    assert titles_of([open_scan(moved)], []) == ["scan 1"]
    folder.remove()


def test_a_wanted_title_is_taken_as_it_is(scan: Scan, write_nm: Callable[..., Path]) -> None:
    named = open_scan(write_nm("DOE.dcm", PatientName="DOE"))
    assert titles_of([named, scan], [], ["sample", "sample"]) == ["sample", "sample (2)"]


def test_a_file_that_is_gone_gives_no_name(scan: Scan) -> None:
    assert titles_of([replace(scan, sources=(Path("gone.dcm"),))], []) == ["scan 1"]


@pytest.mark.parametrize("ending", [".regions.tif", ".SKELETON.TIF", ".nii.gz", ".tif"])
def test_a_mask_is_named_after_its_file_without_the_ending(tmp_path: Path, ending: str) -> None:
    (tmp_path / f"bone.1{ending}").write_bytes(b"mask")
    assert title_of_mask(tmp_path / f"bone.1{ending}") == "bone.1"


def test_a_mask_that_is_named_after_the_patient_is_a_mask(write_nm: Callable[..., Path]) -> None:
    assert title_of_mask(write_nm("doe.seg.dcm", PatientName="Doe^Jane")) == "mask"
    assert title_of_mask(write_nm("bone.seg.dcm", PatientName="Doe^Jane")) == "bone"
