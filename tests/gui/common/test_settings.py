"""What a user typed or chose is there again at the next start."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from napari_bonescint.gui.common.settings import Setting, remember, remembered

if TYPE_CHECKING:
    from pathlib import Path

_NEXT_START = """
import sys
from qtpy.QtCore import QSettings
from napari_bonescint.gui.common.settings import Setting, remembered
QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, sys.argv[1])
sys.stdout.buffer.write("|".join(remembered(setting) for setting in Setting).encode())
"""


def test_nothing_was_remembered_at_first_and_the_last_word_counts() -> None:
    assert [remembered(setting) for setting in Setting] == ["", "", ""]
    remember(Setting.ANNOTATOR, "AB")
    remember(Setting.ANNOTATOR, "CD")
    assert [remembered(setting) for setting in Setting] == ["CD", "", ""]


@pytest.mark.parametrize("name", ["Müller, Zoë; 李", "@Smith", "true", "007", '"quoted" = %20'])
def test_names_and_folders_are_the_same_at_the_next_start(tmp_path: Path, name: str) -> None:
    folders = f"C:\\labels\\new\n//server/share/{name}"
    remember(Setting.ANNOTATOR, name)
    remember(Setting.TRAINING_STORES, folders)
    command = [sys.executable, "-c", _NEXT_START, str(tmp_path / "settings")]
    told = subprocess.run(command, capture_output=True, check=True).stdout.decode()
    assert told == f"{name}||{folders}"
    (kept,) = (tmp_path / "settings").rglob("*.ini")
    assert kept.stem == "napari-bonescint"
