"""Functions that run on a worker of a Dask cluster: work on one scan, and return its outcome.

They may run on another computer, with other files and another version of this package.
"""

from __future__ import annotations

import os
import pickle
import socket
import threading
import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

from napari_bonescint import __version__
from napari_bonescint.batch.job import Outcome, failed
from napari_bonescint.errors import BonescintError
from napari_bonescint.inference.devices import limit_cores

if TYPE_CHECKING:
    from pathlib import Path

    from napari_bonescint.batch.job import AnyWork, Job

_ENGINES_KEPT = 2


class ClusterError(BonescintError):
    """A cluster that does not answer, or cannot do the jobs."""


class WorkerAnswer(NamedTuple):
    """The return value of a worker.

    Attributes
    ----------
    outcome : Outcome or BonescintError
        Outcome of the job, or the reason why no job can be done.
    note : str
        For `ProgressListener.note`; none if empty.
    unseen_on : str
        Name of the worker's computer if the scan's files do not exist there; otherwise empty.
    """

    outcome: Outcome | BonescintError
    note: str = ""
    unseen_on: str = ""


def packed(job: Job, work: AnyWork, marker: Path) -> bytes:
    """The arguments of `carry_out` as bytes for a worker."""
    return zlib.compress(pickle.dumps((job, work, __version__, marker)))


def carry_out_packed(arguments: bytes) -> WorkerAnswer:
    """Call `carry_out` with arguments from `packed`; never raises, because Dask would log the arguments."""
    job, work, *others = pickle.loads(zlib.decompress(arguments))  # noqa: S301  (a user's own)
    try:
        return carry_out(job, work, *others)
    except Exception as error:
        return WorkerAnswer(failed(job, work, f"{type(error).__name__}: {error}".partition("\n")[0]))


def carry_out(job: Job, work: AnyWork, version: str, marker: Path) -> WorkerAnswer:
    """Work on one scan on a worker."""
    try:
        _require_same(version, marker)
        opened = work.read(job)
        if isinstance(opened, Outcome):
            return WorkerAnswer(opened, unseen_on="" if are_here(job) else socket.gethostname())
        loaded = _loaded(work)
        # Other threads of this worker may read and write at the same time.
        with loaded.computing:
            computed = work.compute(job, opened, lambda: loaded.engine, _ignore)
        done = computed if isinstance(computed, Outcome) else work.write(job, opened, computed)
        return WorkerAnswer(done, work.describe(loaded.engine))
    except BonescintError as error:
        return WorkerAnswer(error)


class _Loaded(NamedTuple):
    engine: Any
    computing: threading.Lock


_engines: dict[object, _Loaded] = {}
_loading = threading.Lock()


def _loaded(work: AnyWork) -> _Loaded:
    """The models, which stay loaded for later jobs."""
    from distributed import get_worker

    key = work.models
    with _loading:
        if key not in _engines:
            # The number of threads of a Dask worker is the number of cores that it may use.
            limit_cores(get_worker().state.nthreads)
            for old in list(_engines)[: 1 - _ENGINES_KEPT]:
                del _engines[old]
            _engines[key] = _Loaded(work.on_this_computer().load(), threading.Lock())
        return _engines[key]


def _require_same(version: str, marker: Path) -> None:
    host = socket.gethostname()
    if version != __version__:
        raise ClusterError(other_version(f"on {host}", __version__, version))
    if not marker.is_file():
        raise ClusterError(
            f"{marker.parent}: is another folder on {host}, where a Dask worker runs, than on this computer; all "
            "computers need the same paths to the scans and the results, as on a network folder."
        )


def other_version(where: str, its: str, ours: str) -> str:
    """The message about a worker with another version."""
    return (
        f"A Dask worker {where} has version {its} of napari-bonescint, this computer has {ours}; install the same one."
    )


def _ignore(_fraction: float) -> None:
    pass


def are_here(job: Job) -> bool:
    """True if the files of a scan exist on this computer."""
    # Unlike Path.exists, os.path.exists does not raise for forbidden folders.
    return all(os.path.exists(path) for path in job.paths)  # noqa: PTH110
