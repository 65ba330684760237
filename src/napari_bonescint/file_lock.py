"""A lock file that one process holds at a time; the system releases it when that process ends for any reason."""

from __future__ import annotations

import errno
import os
import sys
import time
import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_HELD_BY_ANOTHER = {errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK, errno.EDEADLK}
_POLL_SECONDS = 0.05


class FileLock:
    """A lock with one holder among all processes on this computer and on those that share the folder.

    In a folder without support for locks, every process gets the lock. `path` is an empty file, made if it is missing
    and never removed: a process that waits for a removed file would not exclude later ones.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._close: weakref.finalize[..., FileLock] | None = None

    def take(self, patience: float = 0.0) -> bool:
        """Take the lock, waiting up to `patience` seconds for another holder; false if it is still held.

        A file that cannot be made is an `OSError`.
        """
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666)
        until = time.monotonic() + patience
        while not _lock(descriptor):
            if time.monotonic() >= until:
                os.close(descriptor)
                return False
            time.sleep(_POLL_SECONDS)
        self._close = weakref.finalize(self, os.close, descriptor)
        return True

    def release(self) -> None:
        """Release the lock, if this object holds it."""
        if self._close is not None:
            self._close()


def _lock(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in _HELD_BY_ANOTHER
    return True
