"""Take a lock on a file, which the system releases when its process ends, however it ends."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import Timeout

if TYPE_CHECKING:
    from filelock import FileLock

# Errors of network folders and memory sticks that support no locks.
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP}


def take(lock: FileLock, patience: float = 0.0) -> bool:
    """Take a lock; return false if another process holds it. In a folder without support for locks, it is always free.

    Parameters
    ----------
    lock : FileLock
        The system takes it back when this process ends, however it ends.
    patience : float
        Seconds to wait for another holder.

    Raises
    ------
    OSError
        If the file cannot be made.
    """
    # filelock would make a folder that is gone.
    Path(lock.lock_file).touch()
    try:
        lock.acquire(timeout=patience)
    except Timeout:
        return False
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
    return True
