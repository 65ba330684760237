"""Work on scans on a Dask cluster; any worker may be killed.

Workers read scans and write results themselves, so all computers need the same paths to both. Only a few more jobs than
the workers can do at once are submitted, so memory does not grow with the number of scans.

Dask shows and logs only the key of a job: the run's name and a number. Paths may contain a patient's name, so they are
sent as compressed bytes, and errors are returned as values: Dask would log the arguments of a failed job, and all bytes
that a worker cannot unpickle. A job is therefore called by Python's own functions, which every worker can unpickle, and
only the bytes need this package.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import operator
import pkgutil
import threading
import time
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from napari_bonescint import __version__
from napari_bonescint.batch.cluster_worker import ClusterError, are_here, carry_out_packed, other_version, packed
from napari_bonescint.batch.dispatch import Note, dispatch
from napari_bonescint.batch.job import failed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Set
    from pathlib import Path

    import distributed

    from napari_bonescint.batch.cluster_worker import WorkerAnswer
    from napari_bonescint.batch.dispatch import News
    from napari_bonescint.batch.job import AnyWork, Job, ProgressListener

_CONNECT_SECONDS = 5
_LOOK_AGAIN_SECONDS = 5
_MARKER = ".bonescint-run-"
_MARKED_SECONDS = 3600


def require_distributed() -> None:
    """Raise a `ClusterError` if the package ``distributed`` is not installed."""
    try:
        import distributed  # noqa: F401
    except ImportError as error:
        raise ClusterError(
            f'A Dask cluster needs {error.name}, which is not installed: pip install "napari-bonescint[cluster]".'
        ) from error


def work_on_cluster(jobs: Iterable[Job], work: AnyWork, listener: ProgressListener, address: str, out: Path) -> None:
    """Work on scans with the workers of a Dask cluster.

    Parameters
    ----------
    jobs : iterable of Job
        With absolute paths.
    work : Work
        With a name of the run.
    listener : ProgressListener
        Receives outcomes in the order in which jobs end.
    address : str
        Address of the scheduler, such as ``tcp://10.0.0.7:8786``.
    out : Path
        Folder of all results, absolute; made if it is missing.

    Raises
    ------
    ClusterError
        If the scheduler does not answer, or a worker has other files or another version than this computer.
    ModelError, DeviceError
        If the model or the device does not exist.
    """
    with _connected(address) as client, _marked(out, work.run) as marker:
        dispatch(jobs, _Cluster(client, work, listener, marker, address), listener)


class _Cluster:
    """The workers of a cluster. Dask itself moves the jobs of a lost worker to others."""

    def __init__(
        self, client: distributed.Client, work: AnyWork, listener: ProgressListener, marker: Path, address: str
    ) -> None:
        from distributed import as_completed

        self._client = client
        self._work = work
        self._listener = listener
        self._marker = marker
        self._address = address
        self._under_way: dict[str, Job] = {}
        self._coming = as_completed(loop=client.loop)
        self._size = 0
        self._checked: set[str] = set()
        self._looked = -float(_LOOK_AGAIN_SECONDS)

    def room(self) -> int:
        now = time.monotonic()
        if now - self._looked >= _LOOK_AGAIN_SECONDS:
            self._looked = now
            self._look()
        return max(0, self._size - len(self._under_way))

    def give(self, job: Job) -> None:
        key = f"bonescint-{self._work.run}-{job.number}"
        self._under_way[key] = job
        # Calls in turn: `resolve_name` finds the function, then the function gets the bytes.
        function = f"{carry_out_packed.__module__}:{carry_out_packed.__name__}"
        calls = [pkgutil.resolve_name, function, packed(job, self._work, self._marker)]
        # Not pure: the same call may have another result later.
        with self._asking():
            self._coming.add(self._client.submit(functools.reduce, operator.call, calls, key=key, pure=False))

    def news(self) -> Iterator[News]:
        future = next(self._coming)
        job = self._under_way.pop(future.key)
        if future.status == "error":
            yield self._why(job, future)
            return
        if future.status != "finished":
            raise self._gone()
        with self._asking():
            answer: WorkerAnswer = future.result()
        # A file may have been deleted since; if it exists here, the worker has other paths.
        if answer.unseen_on and are_here(job):
            raise ClusterError(
                f"{job.name}: does not exist on {answer.unseen_on}, where a Dask worker runs; all computers need the "
                "same paths to the scans and the results, as on a network folder."
            )
        if answer.note:
            yield Note(answer.note)
        yield answer.outcome

    def _why(self, job: Job, future: distributed.Future[WorkerAnswer]) -> News:
        """The error of a job that Dask could not run."""
        from distributed import KilledWorker

        with self._asking():
            error = future.exception()
        if isinstance(error, KilledWorker):
            return failed(job, self._work, "its Dask workers ended unexpectedly several times")
        reason = f"{type(error).__name__}: {error}".partition("\n")[0].partition(". ")[0]
        return ClusterError(
            f"The Dask cluster at {self._address} cannot start a job ({reason}); install the same versions of "
            "napari-bonescint and dask on its workers and this computer, and the same dask on its scheduler."
        )

    def _look(self) -> None:
        """Update the number of jobs that the cluster can take, since workers come and go."""
        with self._asking():
            workers = self._client.nthreads()
            self._check(workers.keys() - self._checked)
        threads = sum(workers.values())
        if not threads:
            self._listener.note(f"Waiting for workers to join the Dask cluster at {self._address}.")
        self._size = max(2, 2 * threads)
        with suppress(OSError):  # keeps other commands from deleting it as a leftover
            self._marker.touch()

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Context of requests to the scheduler, in which a lost connection becomes a `ClusterError`."""
        try:
            yield
        except (OSError, CancelledError) as error:  # Dask raises one of them when a connection ends
            raise self._gone() from error

    def _gone(self) -> ClusterError:
        return ClusterError(
            f"The connection to the Dask scheduler at {self._address} is lost; start the scheduler and repeat the "
            "same command, which continues."
        )

    def _check(self, workers: Set[str]) -> None:
        """Raise an error for workers that cannot do a job, before they get one."""
        if not workers:
            return
        version = f"{__name__.partition('.')[0]}:__version__"
        found = self._client.run(pkgutil.resolve_name, version, workers=list(workers), on_error="return")
        for worker, its in found.items():
            if isinstance(its, ImportError):
                raise ClusterError(
                    f"The Dask worker at {worker} has no usable napari-bonescint ({its}); install version "
                    f"{__version__} there, as on this computer."
                )
            if isinstance(its, str) and its != __version__:
                raise ClusterError(other_version(f"at {worker}", its, __version__))
        # Workers that have left meanwhile count as checked.
        self._checked |= workers


@contextmanager
def _connected(address: str) -> Iterator[distributed.Client]:
    from distributed import Client

    # The user sees our own messages instead of Dask's logs. Some of Dask's loggers have levels of their own.
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] == "distributed":
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    _require_scheduler(address)
    try:
        client = Client(address, timeout=_CONNECT_SECONDS, set_as_default=False)
    except Exception as error:  # another version of Dask may raise any type
        raise _no_scheduler(address, error) from error
    try:
        yield client
    finally:
        client.close(timeout=_CONNECT_SECONDS)


def _require_scheduler(address: str) -> None:
    """Check that a scheduler answers at an address; with anything else, a client would wait forever."""
    found: list[str | Exception] = []

    def ask() -> None:
        try:
            found.append(asyncio.run(asyncio.wait_for(_kind_at(address), _CONNECT_SECONDS)))
        except Exception as error:  # another protocol may raise any type
            found.append(error)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(_CONNECT_SECONDS + 1)
    kind = found[0] if found else TimeoutError()
    if isinstance(kind, Exception):
        raise _no_scheduler(address, kind) from kind
    if kind != "Scheduler":
        raise _no_scheduler(address, f"it is the address of a {kind.lower()}")


async def _kind_at(address: str) -> str:
    from distributed.comm.core import connect

    comm = await connect(address, timeout=_CONNECT_SECONDS)
    try:
        await comm.write({"op": "identity", "reply": True})
        return str((await comm.read())["type"])
    finally:
        comm.abort()


def _no_scheduler(address: str, why: str | Exception) -> ClusterError:
    if isinstance(why, TimeoutError):
        why = f"no answer within {_CONNECT_SECONDS} seconds"
    elif isinstance(why, Exception):
        why = str(why).partition("\n")[0] or type(why).__name__
    return ClusterError(f"There is no Dask scheduler at {address} ({why}).")


@contextmanager
def _marked(out: Path, run: str) -> Iterator[Path]:
    """Context with a marker file in the folder of results, by which workers check that they see the same folder."""
    marker = out / f"{_MARKER}{run}"
    try:
        out.mkdir(parents=True, exist_ok=True)
        marker.touch()
        for other in out.glob(f"{_MARKER}*"):
            # A running command keeps touching its marker. Both times are the file server's.
            if marker.stat().st_mtime - other.stat().st_mtime > _MARKED_SECONDS:
                other.unlink(missing_ok=True)
    except OSError as error:
        raise ClusterError(f"{out}: cannot be written ({error.strerror or error}).") from error
    try:
        yield marker
    finally:
        with suppress(OSError):
            marker.unlink(missing_ok=True)
