"""`bonescint simulate`: which cases it makes, keeps and refuses."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_bonescint.cli import main
from napari_bonescint.corrections.mask_table import read_mask_table
from napari_bonescint.formats.dicom.identity import read_identity
from napari_bonescint.formats.masks.label_tiff import read_labels
from napari_bonescint.formats.opening import open_scan
from napari_bonescint.simulation.case import Case

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def out(points_file: Path, tmp_path: Path) -> Path:
    """A folder with the geometry, which would take a minute to make."""
    shutil.copy(points_file, tmp_path / "skeleton.npz")
    return tmp_path


def test_cases_are_made_once(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "--out", str(out), "--first", "7"]) == 0
    path = out / "case_000007.npz"
    made = path.stat().st_mtime_ns
    assert Case.load(path).regions.shape == (2, 1024, 256)
    assert capsys.readouterr().out == f"1 simulated, 0 kept in {out}\n"

    assert main(["simulate", "--out", str(out), "--first", "7", "--count", "2"]) == 0
    assert path.stat().st_mtime_ns == made
    assert sorted(p.name for p in out.glob("case_*")) == ["case_000007.npz", "case_000008.npz"]
    assert capsys.readouterr().out == f"1 simulated, 1 kept in {out}\n"


def test_a_scan_with_its_true_regions_can_be_opened_and_made_again(out: Path) -> None:
    command = ["simulate", "--out", str(out), "--split", "test", "--count", "1", "--dicom"]
    assert main(command) == 0
    files = [out / "case_003000.dcm", out / "case_003000.regions.tif"]
    assert sorted(out.glob("case_*")) == files
    scan, labels = open_scan(files[0]), read_labels(files[1])
    assert labels.masks.shape == scan.counts.shape == (2, 1024, 256)
    assert labels.spacing == pytest.approx(scan.spacing, rel=1e-4)
    # Bone is brighter than what is not.
    assert scan.counts[labels.masks > 0].mean() > 3 * scan.counts[labels.masks == 0].mean()

    files[0].unlink()
    assert main(command) == 0
    np.testing.assert_array_equal(open_scan(files[0]).counts, scan.counts)


def test_patients_of_a_department_get_scans_masks_and_a_table(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["simulate", "--out", str(out), "--dicom", "--patients", "1", "--first", "30000"]
    assert main(command) == 0
    assert capsys.readouterr().out == (
        f"2 simulated, 0 kept in {out}\n1 patient with 2 scans; their masks: {out / 'masks.csv'}\n"
    )
    rows = read_mask_table(out / "masks.csv")
    sources = [row.sources[0] for row in rows]
    assert sources == sorted((out / "scans").iterdir())
    first, second = map(read_identity, sources)
    assert first.patient == second.patient
    assert first.study != second.study
    for row in rows:
        scan, labels = open_scan(row.sources[0]), read_labels(row.masks[0])
        assert scan.warnings == ()
        assert labels.masks.shape == scan.counts.shape
        assert scan.counts[labels.masks > 0].mean() > 2 * scan.counts[labels.masks == 0].mean()

    assert main(command) == 0
    assert f"0 simulated, 2 kept in {out}\n" in capsys.readouterr().out


@pytest.mark.parametrize("extra", [[], ["--dicom", "--split", "test"]])
def test_patients_without_dicom_or_with_a_split_are_refused(
    extra: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["simulate", "--out", str(tmp_path), "--patients", "2", *extra]) == 1
    assert capsys.readouterr().err == (
        "bonescint: --patients has its own seeds and makes DICOM files: give --dicom and leave out --split.\n"
    )


def test_more_cases_than_a_split_has_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "--out", str(tmp_path), "--split", "test", "--count", "21"]) == 1
    assert capsys.readouterr().err == "bonescint: The test split has 20 cases, not 21.\n"


def test_a_missing_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "mujoco", None)
    assert main(["simulate", "--out", str(tmp_path), "--count", "1"]) == 1
    error = capsys.readouterr().err
    assert error == (
        'bonescint: Simulation needs mujoco, which is not installed: pip install "napari-bonescint[simulate]".\n'
    )
