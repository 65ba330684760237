"""The folder of one training run, by which other processes follow and steer it.

RUNS/NAME/
log.jsonl         events, see `event_log`
checkpoint.pt     state for resuming
best.pt           the best weights so far on the validation scans
data.json         scans for training and validation, held-out and left-out scans
samples/          pictures of validation scans
folds/            with `--folds`: scores of each fold, and the present fold's training
running.json      the process that trains here, while it trains
running.lock      a lock held by that process; empty
request           `pause` or `stop`, written by other processes
NAME.safetensors, NAME.json
"""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from typing import TYPE_CHECKING

import psutil
from filelock import FileLock

from napari_bonescint.errors import BonescintError
from napari_bonescint.files.atomic import CannotWrite, make_folder, write_bytes_atomically
from napari_bonescint.files.lock import take
from napari_bonescint.training.runs.event_log import TrainingLog

if TYPE_CHECKING:
    from pathlib import Path

# The start time in the file and that of the process may differ a little.
_CLOCK_TOLERANCE_S = 2.0
# The starter of a training holds the lock until it has written the process number.
_PATIENCE_S = 2.0


class RunFolderError(BonescintError):
    """A folder that another process trains in."""


class RunFolder:
    """The folder of one training.

    Parameters
    ----------
    path : Path
        Made if it is missing.
    steered_by : RunFolder, optional
        The run that this fold is a part of; its requests steer the fold.

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
        """Claim the folder for this process; several claims need as many calls of `leave`.

        Raises
        ------
        RunFolderError
            If another process trains in it.
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
        # On Windows, the Python of a virtual environment is a parent that starts this process.
        mine = {os.getpid(), os.getppid()} if sys.platform == "win32" else {os.getpid()}
        if not is_taken or (other is not None and other not in mine):
            self._lock.release()
            who = "another process" if other is None else f"process {other}"
            raise RunFolderError(f"{self.path}: {who} trains here; stop it, or give another --name.")
        for leftover in self.path.glob(".*.part"):
            # An incomplete file of a killed training.
            leftover.unlink(missing_ok=True)
        claim = {"pid": os.getpid(), "started": time.time(), "machine": platform.node()}
        write_bytes_atomically(self.running, json.dumps(claim).encode())
        self._occupied = 1

    def leave(self) -> None:
        """Release the folder after the last claim, and delete the request."""
        self._occupied = max(0, self._occupied - 1)
        if self._occupied:
            return
        self.running.unlink(missing_ok=True)
        if not self._is_part:
            self.request.unlink(missing_ok=True)
        self._lock.release()

    def requested(self) -> str:
        """The request of other processes: ``pause``, ``stop`` or an empty string."""
        try:
            content = self.request.read_bytes()
        except OSError:
            return ""
        # PowerShell's `echo stop > request` writes UTF-16.
        return content.replace(b"\0", b"").decode("ascii", errors="ignore").strip()


def lock_of(path: Path) -> FileLock:
    """The lock against two processes in one folder, held while a training is started and while it runs."""
    # A window may open and close a run in different threads.
    return FileLock(path / "running.lock", thread_local=False)


def running_process(path: Path) -> int | None:
    """Number of the process that trains in a run's folder on this machine; None if no process does."""
    try:
        kept = json.loads((path / "running.json").read_bytes())
        pid, started = int(kept["pid"]), float(kept["started"])
        # A process number of another machine means nothing here.
        if kept.get("machine", platform.node()) != platform.node():
            return None
        # A later process may have the number of a dead one; it started later.
        alive = psutil.Process(pid).create_time() <= started + _CLOCK_TOLERANCE_S
    except Exception:  # the file may have any content, and psutil raises many types
        return None
    return pid if alive else None
