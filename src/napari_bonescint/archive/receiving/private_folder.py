"""A folder for patients' data that only the user can read, emptied at exit and at the next start."""

from __future__ import annotations

import atexit
import os
import secrets
import shutil
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs
from filelock import FileLock

from napari_bonescint.files.atomic import make_folder, writing
from napari_bonescint.files.lock import take
from napari_bonescint.files.owner_only import close_to_others

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

FOLDER_VARIABLE = "BONESCINT_RECEIVED"
"""Environment variable with another folder for what archives send."""

_LOCK = "in-use.lock"
_SECONDS = 10.0


def private_root() -> Path:
    """The folder of all private folders; it need not exist."""
    chosen = os.environ.get(FOLDER_VARIABLE)
    if chosen:
        return Path(chosen)
    return Path(platformdirs.user_cache_dir("napari-bonescint", appauthor=False)) / "received"


def is_private(path: Path) -> bool:
    """True if a file lies in a private folder, of this process or another one."""
    return path.is_relative_to(private_root())


class PrivateFolder:
    """A private folder of this process; making one removes those that ended processes have left.

    Attributes
    ----------
    path : Path
    """

    def __init__(self) -> None:
        root = private_root()
        make_folder(root)
        close_to_others(root)
        self.path = root / secrets.token_hex(8)
        with writing(self.path), _one_process_at_a_time(root):
            _empty_left_folders(root)
            self.path.mkdir(mode=0o700)
            close_to_others(self.path)
            # The system releases the lock when this process ends, however it ends.
            self._lock = FileLock(self.path / _LOCK)
            take(self._lock)
        atexit.register(self.remove)

    def __enter__(self) -> Path:
        return self.path

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.remove()

    def remove(self) -> None:
        """Delete the folder with its content; calling it twice does no harm."""
        atexit.unregister(self.remove)
        self._lock.release()
        shutil.rmtree(self.path, ignore_errors=True)


def empty_left_folders() -> None:
    """Delete the private folders of processes that were killed."""
    root = private_root()
    if root.is_dir():
        with writing(root), _one_process_at_a_time(root):
            _empty_left_folders(root)


@contextmanager
def _one_process_at_a_time(root: Path) -> Iterator[None]:
    """Keep other processes from looking for left folders while one is made, before it has its lock."""
    lock = FileLock(root / _LOCK)
    if not take(lock, _SECONDS):
        raise TimeoutError("another process uses it")
    try:
        yield
    finally:
        lock.release()


def _empty_left_folders(root: Path) -> None:
    for folder in root.iterdir():
        with suppress(OSError):
            if folder.is_dir() and not folder.is_symlink():
                lock = FileLock(folder / _LOCK)
                if take(lock):
                    lock.release()
                    shutil.rmtree(folder, ignore_errors=True)
