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
import os
import pickle
import pkgutil
import socket
import threading
import time
import zlib
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from napari_bonescint import __version__
from napari_bonescint.batch.job import Outcome, compute, describe, failed, load, read, write
from napari_bonescint.errors import BonescintError
from napari_bonescint.inference.devices import limit_cores
from napari_bonescint.inference.model_card import ModelError
from napari_bonescint.inference.model_registry import find_model
from napari_bonescint.results import UNFINISHED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Set
    from pathlib import Path

    import distributed

    from napari_bonescint.batch.job import Job, Settings, Told
    from napari_bonescint.inference.model_card import ModelCard
    from napari_bonescint.inference.segmenter import Segmenter

_CONNECT_SECONDS = 5
_LOOK_AGAIN_SECONDS = 5
_MODELS_KEPT = 2


class ClusterError(BonescintError):
    """A cluster that is not there, or cannot do what is asked of it."""


class Answer(NamedTuple):
    """What comes back from a worker.

    Attributes
    ----------
    outcome : Outcome or BonescintError
        What became of the job, or why no job can be done.
    note : str
        For `Told.note`; none if empty.
    unseen_on : str
        The name of the worker's computer if it sees no file where the scan should be.
    """

    outcome: Outcome | BonescintError
    note: str = ""
    unseen_on: str = ""


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


def segment_on_cluster(jobs: Iterable[Job], settings: Settings, told: Told, address: str, out: Path) -> None:
    """Segment scans with the workers of a Dask cluster.

    Parameters
    ----------
    jobs : iterable of Job
        With absolute paths.
    settings : Settings
        With a name of the run.
    told : Told
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
        _Run(client, jobs, settings, told, marker, address).work()


class _Run:
    def __init__(
        self,
        client: distributed.Client,
        jobs: Iterable[Job],
        settings: Settings,
        told: Told,
        marker: Path,
        address: str,
    ) -> None:
        from distributed import as_completed

        self._client = client
        self._jobs = iter(jobs)
        self._settings = settings
        self._told = told
        self._marker = marker
        self._address = address
        self._under_way: dict[str, Job] = {}
        self._coming = as_completed(loop=client.loop)
        self._room = 0
        self._checked: set[str] = set()
        self._looked = -float(_LOOK_AGAIN_SECONDS)

    def work(self) -> None:
        self._hand_out()
        for future in self._coming:
            job = self._under_way.pop(future.key)
            self._take(job, future)
            self._hand_out()

    def _hand_out(self) -> None:
        for job in islice(self._jobs, max(0, self._room_now() - len(self._under_way))):
            key = f"bonescint-{self._settings.run}-{job.number}"
            self._under_way[key] = job
            packed = zlib.compress(pickle.dumps((job, self._settings, __version__, self._marker)))
            # Called one after the other: the function of this name is found, then called with the bytes.
            calls = [pkgutil.resolve_name, f"{__name__}:{carry_out_packed.__name__}", packed]
            # Not pure: the same call on another day may have another result to find.
            with self._asking():
                self._coming.add(self._client.submit(functools.reduce, operator.call, calls, key=key, pure=False))

    def _room_now(self) -> int:
        """How many jobs the cluster has use for: workers come and go."""
        now = time.monotonic()
        if now - self._looked >= _LOOK_AGAIN_SECONDS:
            self._looked = now
            with self._asking():
                workers = self._client.nthreads()
                self._check(workers.keys() - self._checked)
            threads = sum(workers.values())
            if not threads:
                self._told.note(f"Waiting for workers to join the Dask cluster at {self._address}.")
            self._room = max(2, 2 * threads)
            with suppress(OSError):  # only that nobody clears it away as left behind
                self._marker.touch()
        return self._room

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
                raise ClusterError(_other_version(f"at {worker}", its, __version__))
        # One that has gone meanwhile is none to wait for.
        self._checked |= workers

    def _take(self, job: Job, future: distributed.Future[Answer]) -> None:
        """Tell what became of a job."""
        from distributed import KilledWorker

        if future.status == "error":
            error = future.exception()
            if isinstance(error, KilledWorker):
                self._told.ended(failed(job, "its Dask workers ended unexpectedly, again and again"))
                return
            # A job raises nothing itself, so it could not even be begun.
            reason = f"{type(error).__name__}: {error}".partition("\n")[0].partition(". ")[0]
            raise ClusterError(
                f"The Dask cluster at {self._address} cannot begin a job ({reason}); install the same versions of "
                "napari-bonescint and dask for its workers and this computer, and of dask for its scheduler."
            )
        if future.status != "finished":
            raise self._gone()
        answer: Answer = future.result()
        if answer.note:
            self._told.note(answer.note)
        if isinstance(answer.outcome, BonescintError):
            raise answer.outcome
        # A file may have gone since it was found; if it is still here, the worker looks elsewhere.
        if answer.unseen_on and _are_here(job):
            raise ClusterError(
                f"{job.name}: is not there on {answer.unseen_on}, where a Dask worker runs; all computers need the "
                "same paths to the scans and the results, as on a network folder."
            )
        self._told.ended(answer.outcome)


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
    marker = out / f"{UNFINISHED}run-{run}"
    try:
        out.mkdir(parents=True, exist_ok=True)
        marker.touch()
    except OSError as error:
        raise ClusterError(f"{out}: cannot be written ({error.strerror or error}).") from error
    try:
        yield marker
    finally:
        with suppress(OSError):
            marker.unlink(missing_ok=True)


def _are_here(job: Job) -> bool:
    """Whether this computer sees the files of a scan."""
    # Unlike Path.exists, it raises nothing where even looking is forbidden.
    return all(os.path.exists(path) for path in job.source.paths)  # noqa: PTH110


# What follows is done by the workers.


def carry_out_packed(packed: bytes) -> Answer:
    """Segment the scan that `_Run` has packed."""
    arguments: tuple[Job, Settings, str, Path] = pickle.loads(zlib.decompress(packed))  # noqa: S301  (a user's own)
    try:
        return carry_out(*arguments)
    except Exception as error:  # Dask would log what it was called with
        return Answer(failed(arguments[0], f"{type(error).__name__}: {error}".partition("\n")[0]))


def carry_out(job: Job, settings: Settings, version: str, marker: Path) -> Answer:
    """Segment one scan on a worker."""
    try:
        _require_same(version, marker)
        scan = read(job, settings)
        if isinstance(scan, Outcome):
            return Answer(scan, unseen_on="" if _are_here(job) else socket.gethostname())
        model = _loaded(settings)
        # Other threads of this worker read and write meanwhile.
        with model.computing:
            segmentation = compute(job, scan, lambda: model.segmenter, _ignore)
        done = segmentation if isinstance(segmentation, Outcome) else write(job, scan, segmentation, settings)
        return Answer(done, describe(model.segmenter))
    except BonescintError as error:
        return Answer(error)


class _Model(NamedTuple):
    segmenter: Segmenter
    computing: threading.Lock


_models: dict[object, _Model] = {}
_loading = threading.Lock()


def _loaded(settings: Settings) -> _Model:
    """The model, which stays loaded for the jobs to come."""
    from distributed import get_worker

    key = (settings.card.name, settings.card.weights_sha256, settings.device)
    with _loading:
        if key not in _models:
            # What Dask calls threads of a worker are the cores that it may use.
            limit_cores(get_worker().state.nthreads)
            for old in list(_models)[: 1 - _MODELS_KEPT]:
                del _models[old]
            _models[key] = _Model(load(replace(settings, card=card_here(settings.card))), threading.Lock())
        return _models[key]


def card_here(card: ModelCard) -> ModelCard:
    """The same model as it lies on this computer: in the same place, or one that came with the package."""
    if card.weights_path.exists():
        return card
    with suppress(ModelError):
        if (found := find_model(card.name)).weights_sha256 == card.weights_sha256:
            return found
    raise ModelError(
        f"{card.weights_path}: is not there on {socket.gethostname()}, where a Dask worker runs; all computers need "
        "the same version of napari-bonescint and the same paths."
    )


def _require_same(version: str, marker: Path) -> None:
    host = socket.gethostname()
    if version != __version__:
        raise ClusterError(_other_version(f"on {host}", __version__, version))
    if not marker.is_file():
        raise ClusterError(
            f"{marker.parent}: is another folder on {host}, where a Dask worker runs, than on this computer; all "
            "computers need the same paths to the scans and the results, as on a network folder."
        )


def _other_version(where: str, its: str, ours: str) -> str:
    return (
        f"A Dask worker {where} has version {its} of napari-bonescint, this computer has {ours}; install the same one."
    )


def _ignore(_fraction: float) -> None:
    pass
