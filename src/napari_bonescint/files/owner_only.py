"""Restrict files and folders to their owner, on every system."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

# "Owner rights" (S-1-3-4) stand for the owner of a file, whose account name depends on Windows' language.
_OWNER = "*S-1-3-4"
_SECONDS = 30


def close_to_others(path: Path) -> bool:
    """Let only the owner read or change an existing file, or a folder and its future content.

    Returns false if the system could not do so; some network folders and memory sticks have no owners.
    """
    if os.name == "nt":
        return _close_on_windows(path)
    try:
        path.chmod(0o700 if path.is_dir() else 0o600)
    except OSError:
        return False
    return not is_open_to_others(path)


def is_open_to_others(path: Path) -> bool:
    """True if other users may read a file or folder; false on Windows, where it is not checked."""
    return os.name != "nt" and bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def windows_command(path: Path, *, is_folder: bool) -> list[str]:
    """The Windows command that removes inherited rights and gives all rights to the owner.

    The future content of a folder inherits these rights.
    """
    icacls = Path(os.environ.get("SYSTEMROOT", r"C:\Windows"), "System32", "icacls.exe")
    inherited = "(OI)(CI)" if is_folder else ""
    return [str(icacls), str(path), "/inheritance:r", "/grant:r", f"{_OWNER}:{inherited}F", "/q"]


def _close_on_windows(path: Path) -> bool:
    try:
        done = subprocess.run(
            windows_command(path, is_folder=path.is_dir()),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0
