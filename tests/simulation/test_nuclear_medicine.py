from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pytest
from pydicom import dcmread

from napari_bonescint.formats.dicom.identity import read_identity
from napari_bonescint.formats.opening import open_scan
from napari_bonescint.scan import ViewSource
from napari_bonescint.simulation.nuclear_medicine import Study, write_nuclear_medicine

if TYPE_CHECKING:
    from pathlib import Path

    from napari_bonescint.scan import Scan


def test_our_own_reader_reads_it_without_a_warning(scan: Scan, tmp_path: Path) -> None:
    write_nuclear_medicine(scan, tmp_path / "simulated.dcm")
    again = open_scan(tmp_path / "simulated.dcm")
    np.testing.assert_array_equal(again.counts, scan.counts)
    assert again.spacing == scan.spacing
    assert [(view.name, view.source) for view in again.views] == [(v.name, ViewSource.FILE) for v in scan.views]
    assert again.warnings == ()


def test_the_same_scan_gives_the_same_file(scan: Scan, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        write_nuclear_medicine(scan, tmp_path / folder / "x.dcm")
    assert (tmp_path / "a" / "x.dcm").read_bytes() == (tmp_path / "b" / "x.dcm").read_bytes()


def test_scans_of_one_patient_and_day_are_one_study(scan: Scan, tmp_path: Path) -> None:
    days = {"a": date(2024, 2, 29), "b": date(2024, 2, 29), "c": date(2025, 3, 1)}
    for name, day in days.items():
        counts = scan.counts + len(list(tmp_path.iterdir()))
        study = Study("0030007", "WARD", "Invented^Patient", day)
        write_nuclear_medicine(replace(scan, counts=counts.astype(np.uint16)), tmp_path / f"{name}.dcm", study)
    a, b, c = (read_identity(tmp_path / f"{name}.dcm") for name in days)
    assert {each.patient for each in (a, b, c)} == {"WARD\n0030007"}
    assert a.study == b.study != c.study
    written = [dcmread(tmp_path / f"{name}.dcm") for name in days]
    assert [ds.StudyDate for ds in written] == ["20240229", "20240229", "20250301"]
    assert len({ds.SOPInstanceUID for ds in written}) == 3
    assert open_scan(tmp_path / "a.dcm").warnings == ()


def test_a_scan_without_spacing_is_no_simulated_one(scan: Scan, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="has a spacing"):
        write_nuclear_medicine(replace(scan, spacing=None), tmp_path / "x.dcm")
    assert list(tmp_path.iterdir()) == []
