"""Segmenting on a Dask cluster, of which any worker may be killed.

Scans are read and results written by the workers, so all computers must see both under the same paths. A few jobs more
than the workers can do at once are handed out, so that memory stays the same however many there are.

What Dask itself shows and logs of a job is its key: the run's name and a number. Paths, in which a patient's name may
stand, travel as compressed bytes, and errors come back as values, since Dask logs what a job is called with where it
fails, and all its bytes where a worker cannot read them. So that any worker can, whatever is installed there, these
bytes are the only part of a job that needs this package, and Python's own functions find it.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import operator
import pkgutil
import threading
import time
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

    from napari_bonescint.batch.cluster_worker import Answer
    from napari_bonescint.batch.dispatch import News
    from napari_bonescint.batch.job import Job, ProgressListener, Settings

_CONNECT_SECONDS = 5
_LOOK_AGAIN_SECONDS = 5
_MARKER = ".bonescint-run-"
_MARKED_SECONDS = 3600


def require_distributed() -> None:
    """Refuse to begin without the package that talks to clusters.

    Raises
    ------
    ClusterError
    """
    try:
        import distributed  # noqa: F401
    except ImportError as error:
        raise ClusterError(
            f'A Dask cluster needs {error.name}, which is not installed: pip install "napari-bonescint[cluster]".'
        ) from error


def segment_on_cluster(
    jobs: Iterable[Job], settings: Settings, listener: ProgressListener, address: str, out: Path
) -> None:
    """Segment scans with the workers of a Dask cluster.

    Parameters
    ----------
    jobs : iterable of Job
        With absolute paths.
    settings : Settings
        With a name of the run.
    listener : ProgressListener
        Told about the jobs in the order in which they end.
    address : str
        Of the scheduler, such as ``tcp://10.0.0.7:8786``.
    out : Path
        The folder that all results are below, absolute; made if it is not there.

    Raises
    ------
    ClusterError
        If the scheduler does not answer, or a worker sees other files than this computer or has another version.
    ModelError, DeviceError
        If the model or the device is not there.
    """
    with _connected(address) as client, _marked(out, settings.run) as marker:
        dispatch(jobs, _Cluster(client, settings, listener, marker, address), listener)


class _Cluster:
    """The workers of a cluster. Dask itself gives the jobs of one that has gone to others."""

    def __init__(
        self, client: distributed.Client, settings: Settings, listener: ProgressListener, marker: Path, address: str
    ) -> None:
        from distributed import as_completed

        self._client = client
        self._settings = settings
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
        key = f"bonescint-{self._settings.run}-{job.number}"
        self._under_way[key] = job
        # Called one after the other: the function of this name is found, then called with the bytes.
        function = f"{carry_out_packed.__module__}:{carry_out_packed.__name__}"
        calls = [pkgutil.resolve_name, function, packed(job, self._settings, self._marker)]
        # Not pure: the same call on another day may have another result to find.
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
        answer: Answer = future.result()
        # A file may have gone since it was found; if it is still here, the worker looks elsewhere.
        if answer.unseen_on and are_here(job):
            raise ClusterError(
                f"{job.name}: is not there on {answer.unseen_on}, where a Dask worker runs; all computers need the "
                "same paths to the scans and the results, as on a network folder."
            )
        if answer.note:
            yield Note(answer.note)
        yield answer.outcome

    def _why(self, job: Job, future: distributed.Future[Answer]) -> News:
        """What has ended a job that raises nothing itself."""
        from distributed import KilledWorker

        error = future.exception()
        if isinstance(error, KilledWorker):
            return failed(job, "its Dask workers ended unexpectedly, again and again")
        reason = f"{type(error).__name__}: {error}".partition("\n")[0].partition(". ")[0]
        return ClusterError(
            f"The Dask cluster at {self._address} cannot begin a job ({reason}); install the same versions of "
            "napari-bonescint and dask for its workers and this computer, and of dask for its scheduler."
        )

    def _look(self) -> None:
        """See how many jobs the cluster has use for: workers come and go."""
        with self._asking():
            workers = self._client.nthreads()
            self._check(workers.keys() - self._checked)
        threads = sum(workers.values())
        if not threads:
            self._listener.note(f"Waiting for workers to join the Dask cluster at {self._address}.")
        self._size = max(2, 2 * threads)
        with suppress(OSError):  # only that nobody clears it away as left behind
            self._marker.touch()

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Tell a scheduler that went away in the middle of a question from one that is there."""
        try:
            yield
        except OSError as error:  # also what Dask raises where a connection ends
            raise self._gone() from error

    def _gone(self) -> ClusterError:
        return ClusterError(
            f"The Dask scheduler at {self._address} is gone; start it and give the same command again, which goes on "
            "where this one was."
        )

    def _check(self, workers: Set[str]) -> None:
        """Refuse workers that cannot do a job, before any is handed out."""
        if not workers:
            return
        version = f"{__name__.partition('.')[0]}:__version__"
        found = self._client.run(pkgutil.resolve_name, version, workers=list(workers), on_error="return")
        for worker, its in found.items():
            if isinstance(its, ImportError):
                raise ClusterError(
                    f"The Dask worker at {worker} has no napari-bonescint that it can use ({its}); install version "
                    f"{__version__} there, which this computer has."
                )
            if isinstance(its, str) and its != __version__:
                raise ClusterError(other_version(f"at {worker}", its, __version__))
        # One that has gone meanwhile is none to wait for.
        self._checked |= workers


@contextmanager
def _connected(address: str) -> Iterator[distributed.Client]:
    from distributed import Client

    # All that matters to the user is told in sentences of our own. Dask gives some of its loggers a level each.
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] == "distributed":
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    _require_scheduler(address)
    try:
        client = Client(address, timeout=_CONNECT_SECONDS, set_as_default=False)
    except Exception as error:  # of another version, it may fail in any way
        raise _no_scheduler(address, error) from error
    try:
        yield client
    finally:
        client.close(timeout=_CONNECT_SECONDS)


def _require_scheduler(address: str) -> None:
    """Ask who answers at an address: where it is something else, a client would wait for ever."""
    found: list[str | Exception] = []

    def ask() -> None:
        try:
            found.append(asyncio.run(asyncio.wait_for(_kind_at(address), _CONNECT_SECONDS)))
        except Exception as error:  # what speaks something else may make it fail in any way
            found.append(error)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(_CONNECT_SECONDS + 1)
    kind = found[0] if found else TimeoutError()
    if isinstance(kind, Exception):
        raise _no_scheduler(address, kind) from kind
    if kind != "Scheduler":
        raise _no_scheduler(address, f"it is that of a {kind.lower()}")


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
        why = f"nothing that Dask knows has answered for {_CONNECT_SECONDS} seconds"
    elif isinstance(why, Exception):
        why = str(why).partition("\n")[0] or type(why).__name__
    return ClusterError(f"There is no Dask scheduler at {address} ({why}).")


@contextmanager
def _marked(out: Path, run: str) -> Iterator[Path]:
    """A file in the folder of results, by which workers tell that they see the same folder."""
    marker = out / f"{_MARKER}{run}"
    try:
        out.mkdir(parents=True, exist_ok=True)
        marker.touch()
        for other in out.glob(f"{_MARKER}*"):
            # A command that lives touches its own again and again. Both times are the file server's.
            if marker.stat().st_mtime - other.stat().st_mtime > _MARKED_SECONDS:
                other.unlink(missing_ok=True)
    except OSError as error:
        raise ClusterError(f"{out}: cannot be written ({error.strerror or error}).") from error
    try:
        yield marker
    finally:
        with suppress(OSError):
            marker.unlink(missing_ok=True)
