"""A file that one process at a time holds; the system takes it back when that process ends, however it ends."""

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
_LOOK_SECONDS = 0.05


class FileLock:
    """One holder at a time, of all processes on this computer and of those that share the folder over a network.

    Where a folder knows no locks, everybody who asks holds it.

    Parameters
    ----------
    path : Path
        An empty file, made if it is missing and never removed: whoever waits for a file that is removed waits for
        another than those who come later.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._close: weakref.finalize[..., FileLock] | None = None

    def take(self, patience: float = 0.0) -> bool:
        """Hold the lock from now on, if nobody else does.

        Parameters
        ----------
        patience : float
            Seconds to wait for another holder.

        Raises
        ------
        OSError
            If the file cannot be made.
        """
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666)
        until = time.monotonic() + patience
        while not _lock(descriptor):
            if time.monotonic() >= until:
                os.close(descriptor)
                return False
            time.sleep(_LOOK_SECONDS)
        self._close = weakref.finalize(self, os.close, descriptor)
        return True

    def release(self) -> None:
        """Let others hold it; nothing happens if this one does not."""
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
