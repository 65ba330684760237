"""Files and folders that nobody but their owner can read, on every system."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

# "Owner rights" (S-1-3-4): whoever owns a file, by whatever name Windows calls the account in its language.
_OWNER = "*S-1-3-4"
_SECONDS = 30


def close_to_others(path: Path) -> bool:
    """Let nobody but its owner read or change a file, or a folder and what will be made in it.

    Parameters
    ----------
    path : Path
        Must exist.

    Returns
    -------
    bool
        Whether the system did so; some network folders and memory sticks know no owners.
    """
    if os.name == "nt":
        return _asks_windows(path)
    try:
        path.chmod(0o700 if path.is_dir() else 0o600)
    except OSError:
        return False
    return not is_open_to_others(path)


def is_open_to_others(path: Path) -> bool:
    """Whether a file or folder says that others may read it. Windows is not asked, and nothing is said of its files.

    Raises
    ------
    OSError
        If it cannot be looked at.
    """
    return os.name != "nt" and bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def windows_command(path: Path, *, is_folder: bool) -> list[str]:
    """The command by which Windows takes inherited rights away and gives all rights to the owner.

    Parameters
    ----------
    path : Path
        The file or folder.
    is_folder : bool
        Whether what will be made in it inherits that.
    """
    icacls = Path(os.environ.get("SYSTEMROOT", r"C:\Windows"), "System32", "icacls.exe")
    inherited = "(OI)(CI)" if is_folder else ""
    return [str(icacls), str(path), "/inheritance:r", "/grant:r", f"{_OWNER}:{inherited}F", "/q"]


def _asks_windows(path: Path) -> bool:
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
