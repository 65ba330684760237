from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from napari_bonescint.files.owner_only import close_to_others, is_open_to_others, windows_command

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.skipif(os.name == "nt", reason="Windows knows no modes")
def test_files_and_folders_are_closed_to_group_and_others(tmp_path: Path) -> None:
    folder, file = tmp_path / "store", tmp_path / "secret"
    folder.mkdir(mode=0o755)
    file.touch(mode=0o644)
    folder.chmod(0o755)
    file.chmod(0o644)
    assert is_open_to_others(folder)
    assert is_open_to_others(file)
    assert close_to_others(folder)
    assert close_to_others(file)
    assert (folder.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o700, 0o600)
    assert not is_open_to_others(folder)
    assert not is_open_to_others(file)


def test_what_is_not_there_cannot_be_closed(tmp_path: Path) -> None:
    assert not close_to_others(tmp_path / "absent")


def test_windows_is_asked_to_leave_the_owner_alone_in_a_folder_and_all_that_is_made_in_it(tmp_path: Path) -> None:
    program, *words = windows_command(tmp_path, is_folder=True)
    assert program.endswith("icacls.exe")
    assert words == [str(tmp_path), "/inheritance:r", "/grant:r", "*S-1-3-4:(OI)(CI)F", "/q"]
    assert windows_command(tmp_path / "secret", is_folder=False)[-2:] == ["*S-1-3-4:F", "/q"]


@pytest.mark.skipif(os.name != "nt", reason="needs Windows")
def test_windows_says_that_nobody_else_has_rights(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    assert close_to_others(tmp_path / "store")
    (tmp_path / "store" / "secret").write_text("1")
    told = subprocess.run(["icacls", str(tmp_path / "store" / "secret")], capture_output=True, text=True, check=True)
    assert told.stdout.count(":(") == 1
