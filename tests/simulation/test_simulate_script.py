from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from napari_bonescint.resources import shipped_folder
from napari_bonescint.simulation.case import SOURCES, Case

if TYPE_CHECKING:
    from pathlib import Path

    from napari_bonescint.simulation.geometry import BonePoints


def test_cases_are_made_and_kept(points: BonePoints, tmp_path: Path) -> None:
    points.save(tmp_path / "skeleton.npz")
    script = [sys.executable, str(shipped_folder("train") / "simulate.py"), "--out", str(tmp_path)]
    subprocess.run([*script, "--count", "1", "--first", "7"], check=True, capture_output=True)
    path = tmp_path / "case_000007.npz"
    made = path.stat().st_mtime_ns
    assert len(Case.load(path).expected) == len(SOURCES)
    subprocess.run([*script, "--count", "2", "--first", "7"], check=True, capture_output=True)
    assert path.stat().st_mtime_ns == made
    assert sorted(p.name for p in tmp_path.glob("case_*")) == ["case_000007.npz", "case_000008.npz"]
