"""The folder of one training run, through which others follow and steer it.

RUNS/NAME/
log.jsonl         what happens, see `event_log`
checkpoint.pt     state to go on from
best.pt           the weights that did best on the validation scans so far
data.json         what is trained on, validated on, held out and left out
samples/          pictures of validation scans as the weights improve
folds/            with `--folds`: scores of each fold, and the training of the one that is under way
running.json      which process trains here; there only meanwhile
running.lock      held by that process; empty
request           `pause` or `stop`, which others write
NAME.safetensors, NAME.json
"""

from __future__ import annotations

import errno
import json
import os
import platform
import sys
import time
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from napari_bonescint.atomic import CannotWrite, make_folder, write_bytes_atomically
from napari_bonescint.errors import BonescintError
from napari_bonescint.training.runs.event_log import TrainingLog

# A process's own notion of when it began may differ a little from the time in its file.
_CLOCK_TOLERANCE_S = 2.0
# Who starts a training holds the lock until it has said which process that is.
_PATIENCE_S = 2.0
# How network folders and memory sticks say that they know no locks.
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP}


class RunFolderError(BonescintError):
    """A folder that another process trains in."""


class RunFolder:
    """Where one training lies.

    Parameters
    ----------
    path : Path
        Made if it is missing.
    steered_by : RunFolder, optional
        The run that this one is a part of, by whose requests it is steered, too.

    Raises
    ------
    CannotWrite
        If it cannot be made.
    """

    def __init__(self, path: Path, steered_by: RunFolder | None = None) -> None:
        self.path = path
        self.checkpoint = path / "checkpoint.pt"
        self.best = path / "best.pt"
        self.data = path / "data.json"
        self.samples = path / "samples"
        self.request: Path = path / "request" if steered_by is None else steered_by.request
        self._is_part = steered_by is not None
        self._occupied = 0
        self.running = path / "running.json"
        self.log = TrainingLog(path / "log.jsonl")
        self._lock = lock_of(path)
        make_folder(path)

    def occupy(self) -> None:
        """Say that this process trains here; once for all of its trainings in one folder, each of which leaves it.

        Raises
        ------
        RunFolderError
            If another one does.
        CannotWrite
            If the disk is full or not writable.
        """
        if self._occupied:
            self._occupied += 1
            return
        try:
            is_taken = take(self._lock, _PATIENCE_S)
        except OSError as error:
            raise CannotWrite(f"{self.path}: cannot be written ({error.strerror or error}).") from error
        other = running_process(self.path)
        # On Windows the Python of a virtual environment starts another one, which is this process.
        mine = {os.getpid(), os.getppid()} if sys.platform == "win32" else {os.getpid()}
        if not is_taken or (other is not None and other not in mine):
            self._lock.release()
            who = "another process" if other is None else f"process {other}"
            raise RunFolderError(f"{self.path}: {who} trains here; stop it, or give another --name.")
        for leftover in self.path.glob(".*.part"):
            # Half a file of a training that was killed while it wrote.
            leftover.unlink(missing_ok=True)
        claim = {"pid": os.getpid(), "started": time.time(), "machine": platform.node()}
        write_bytes_atomically(self.running, json.dumps(claim).encode())
        self._occupied = 1

    def leave(self) -> None:
        """Say that no process trains here any more, and forget what was requested."""
        self._occupied = max(0, self._occupied - 1)
        if self._occupied:
            return
        self.running.unlink(missing_ok=True)
        if not self._is_part:
            self.request.unlink(missing_ok=True)
        self._lock.release()

    def requested(self) -> str:
        """What others request: ``pause``, ``stop`` or nothing."""
        try:
            content = self.request.read_bytes()
        except OSError:
            return ""
        # PowerShell's `echo stop > request` writes UTF-16.
        return content.replace(b"\0", b"").decode("ascii", errors="ignore").strip()


def lock_of(path: Path) -> FileLock:
    """What keeps two processes from training in one folder: held while one does, and while it is being started."""
    # The thread that opens a window's run need not be the one that closes it.
    return FileLock(path / "running.lock", thread_local=False)


def take(lock: FileLock, patience: float = 0.0) -> bool:
    """Hold a lock, if nobody else does; where a folder knows no locks, everybody who asks holds it.

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


def running_process(path: Path) -> int | None:
    """The process that trains in a run's folder; None if none on this machine does, or the one that did was killed.

    Parameters
    ----------
    path : Path
        The folder, which need not exist.
    """
    try:
        kept = json.loads((path / "running.json").read_bytes())
        pid, started = int(kept["pid"]), float(kept["started"])
        # A job that was killed may go on elsewhere, where its number means nothing.
        if kept.get("machine", platform.node()) != platform.node():
            return None
        # Another process that was given the number of a dead one began later.
        alive = psutil.Process(pid).create_time() <= started + _CLOCK_TOLERANCE_S
    except Exception:  # the file may say anything, and psutil raises whatever a number trips over
        return None
    return pid if alive else None
