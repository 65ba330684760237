"""`bonescint measure` on many scans, killed and given again."""

from __future__ import annotations

import csv
import json
import os
from typing import TYPE_CHECKING

import numpy as np
import psutil
import pytest

from dicom_files import some_counts
from napari_bonescint.anatomy import CODES
from napari_bonescint.formats.masks.label_tiff import write_labels
from napari_bonescint.measurement.files import MeasureFiles
from running import Running

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has neither SIGKILL nor process groups")

SCANS = 12
NAMES = [f"{number:02}" for number in range(SCANS)]
ENDINGS = ("hotspots.csv", "hotspots.tif", "measures.json", "regions.csv")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_killed_command_is_taken_up_by_the_same_command_and_the_table_has_all(
    write_nm: Callable[..., Path], tmp_path: Path, workers: str
) -> None:
    out, table = tmp_path / "out", tmp_path / "out" / "all.csv"
    codes = np.zeros((2, 256, 64), np.uint8)
    codes[:, 40:120, 16:48], codes[:, 120:220, 16:48] = CODES["thoracic_spine"], CODES["pelvis"]
    (tmp_path / "masks").mkdir()
    for number, name in enumerate(NAMES):
        write_nm(f"export/{name}.dcm", counts=some_counts(2, rows=256, columns=64) + 10 + number)
        write_labels(tmp_path / "masks" / f"{name}.regions.tif", codes, None)
    words = ["measure", tmp_path / "export", "--out", out, "--masks", tmp_path / "masks", "--table", table]
    words += ["--workers", workers, "--device", "cpu"]
    with Running(words) as first:
        first.read_until_segmented(SCANS // 3)
        orphans = first.workers
        first.kill()
        _, alive = psutil.wait_procs(orphans, timeout=120)
    assert alive == []
    assert not table.exists()
    # Whoever reads a result first puts files in place that the killed process had just written.
    there = [name for name in NAMES if MeasureFiles(out, name).recorded() is not None]
    assert SCANS // 3 <= len(there) < SCANS
    before = {path: path.stat().st_mtime_ns for path in out.glob("*.measures.json")}
    with Running(words) as second:
        assert second.finish() == 0
    assert sorted(second.kept) == there
    assert sorted([*second.segmented, *second.kept]) == NAMES
    assert {path: path.stat().st_mtime_ns for path in before} == before
    names = {path.name for path in out.iterdir()}
    assert names == {"all.csv", *(f"{name}.{ending}" for name in NAMES for ending in ENDINGS)}
    sources = [json.loads(path.read_text(encoding="utf-8"))["source_sha256"] for path in out.glob("*.measures.json")]
    assert len(set(sources)) == SCANS
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == NAMES
    assert all(row["bone_scan_index"] for row in rows)
