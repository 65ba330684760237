"""`bonescint compare`: what it writes, what it says, and how it ends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from dicom_files import some_counts
from napari_bonescint.anatomy import CODES
from napari_bonescint.cli import main
from napari_bonescint.formats.masks.label_tiff import write_labels

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    WriteScan = Callable[..., Path]


@pytest.fixture
def pair(write_nm: WriteScan, tmp_path: Path, thresholds: None) -> tuple[Path, Path]:
    """A new scan with a hot spot, and the prior scan of the same patient without; their masks are in `masks`."""
    codes = np.zeros((2, 64, 32), np.uint8)
    codes[:, 10:40, 5:25] = CODES["pelvis"]
    (tmp_path / "masks").mkdir()
    for name in ("new", "old"):
        write_labels(tmp_path / "masks" / f"{name}.regions.tif", codes, None)
    hot = some_counts(2) + 30
    hot[0, 20:24, 8:12] += 300
    hot[1, 20:24, 18:22] += 300
    new = write_nm("new.dcm", counts=hot, StudyDate="20240305", AcquisitionDate="20240305")
    return new, write_nm("old.dcm", counts=some_counts(2) + 30, StudyDate="20230305", AcquisitionDate="20230305")


def test_two_scans_are_compared_and_the_comparison_is_kept(
    pair: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new, old = pair
    out = tmp_path / "out"
    words = ["compare", str(new), str(old), "--out", str(out), "--masks", str(tmp_path / "masks"), "--device", "cpu"]
    assert main(words) == 0
    said = capsys.readouterr()
    assert "1 new and 0 gone lesions" in said.out
    assert "warning: There is no model 'lost'; " in said.err
    assert "Hot spots are found by thresholds instead." in said.err
    assert sorted(path.name for path in out.iterdir()) == ["new.comparison.csv", "new.comparison.json"]
    comparison = json.loads((out / "new.comparison.json").read_text(encoding="utf-8"))
    assert comparison["days"] == 366
    assert [lesion["change"] for lesion in comparison["lesions"]] == ["new"]
    before = (out / "new.comparison.json").stat().st_mtime_ns
    assert main(words) == 0
    assert f"{new}: kept {out / 'new.comparison.json'}" in capsys.readouterr().out
    assert (out / "new.comparison.json").stat().st_mtime_ns == before


def test_inputs_that_are_not_one_scan_are_one_sentence(
    pair: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--out", str(tmp_path / "out"), "--masks", str(tmp_path / "masks")]
    assert main(["compare", str(tmp_path), str(pair[1]), *words]) == 1
    assert f"bonescint: {tmp_path}: holds 2 scans; give the file of one" in capsys.readouterr().err
    assert main(["compare", str(tmp_path / "missing.dcm"), str(pair[1]), *words]) == 1
    assert "does not exist" in capsys.readouterr().err


def test_help_shows_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["compare", "--help"])
    assert ended.value.code == 0
    assert "bonescint compare 2026.dcm 2025.dcm --out compared" in capsys.readouterr().out
