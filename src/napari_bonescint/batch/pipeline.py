"""Work on scans in one process and three stages: one thread reads, the caller's thread computes, another one writes.

Queues connect the stages and keep the order of the scans.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, nullcontext
from functools import cache, partial
from queue import SimpleQueue
from threading import Event, Lock, Semaphore
from typing import TYPE_CHECKING, Any, NamedTuple

from napari_bonescint.batch.job import Job, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from napari_bonescint.batch.job import AnyWork, ProgressListener

DEPTH = 3
"""Largest number of scans in memory: one that is read, one that is computed and one that is written."""


class _Read(NamedTuple):
    job: Job
    opened: Any | Outcome


class _Computed(NamedTuple):
    job: Job
    opened: Any
    computed: Any


# The last item is the stage that has ended, perhaps with an error.
_Scans = SimpleQueue[_Read | Future[None]]
# Outcomes without a result to write keep their place. The last item is None.
_Results = SimpleQueue[_Computed | Outcome | None]


def work_here(
    jobs: Iterable[Job],
    work: AnyWork,
    listener: ProgressListener,
    *,
    turn: int = 0,
    while_writing: AbstractContextManager[object] | None = None,
) -> None:
    """Work on scans one after the other.

    Parameters
    ----------
    jobs : iterable of Job
        Iterated in a thread, so it may be slow.
    work : Work
        What is done with each of them.
    listener : ProgressListener
        Receives the events of the jobs in their order.
    turn : int
        See `devices.choose_device`.
    while_writing : context manager, optional
        Entered while a result is written.

    Raises
    ------
    ModelError, DeviceError
        If the model or the device does not exist.
    """
    listener = _OneAtATime(listener)
    scans, results = _Scans(), _Results()
    room, is_over = Semaphore(DEPTH), Event()
    threads = ThreadPoolExecutor(2)
    reading = threads.submit(_read_all, jobs, work, room, is_over, scans)
    writing = threads.submit(_write_all, results, work, while_writing or nullcontext(), room, listener)
    reading.add_done_callback(scans.put)
    writing.add_done_callback(scans.put)
    try:
        _compute_all(scans, work, cache(partial(_load, work, turn, listener)), listener, results)
    finally:
        # All results on the disk are reported, whatever ended the run. The reading thread ends by itself.
        is_over.set()
        room.release()
        results.put(None)
        wait([writing])
        threads.shutdown(wait=False)
    writing.result()


def _read_all(jobs: Iterable[Job], work: AnyWork, room: Semaphore, is_over: Event, scans: _Scans) -> None:
    """First stage: read scans while there is room for them in memory."""
    coming = iter(jobs)
    while room.acquire() and not is_over.is_set() and (job := next(coming, None)) is not None:
        scans.put(_Read(job, work.read(job)))


def _compute_all(
    scans: _Scans, work: AnyWork, engine: Callable[[], Any], listener: ProgressListener, results: _Results
) -> None:
    """Second stage: work on the scans."""
    while isinstance(was_read := scans.get(), _Read):
        job, opened = was_read
        if isinstance(opened, Outcome):
            results.put(opened)
            continue
        listener.progressed(job, 0)
        computed = work.compute(job, opened, engine, partial(listener.progressed, job))
        results.put(computed if isinstance(computed, Outcome) else _Computed(job, opened, computed))
    was_read.result()


def _write_all(
    results: _Results,
    work: AnyWork,
    while_writing: AbstractContextManager[object],
    room: Semaphore,
    listener: ProgressListener,
) -> None:
    """Third stage: write results, and report the outcome of each scan."""
    while (result := results.get()) is not None:
        if isinstance(result, _Computed):
            with while_writing:
                result = work.write(*result)
        room.release()
        listener.ended(result)


def _load(work: AnyWork, turn: int, listener: ProgressListener) -> Any:
    engine = work.load(turn)
    listener.note(work.describe(engine))
    return engine


class _OneAtATime:
    """A listener that forwards the events of one thread at a time."""

    def __init__(self, listener: ProgressListener) -> None:
        self._listener = listener
        self._lock = Lock()

    def note(self, sentence: str) -> None:
        with self._lock:
            self._listener.note(sentence)

    def progressed(self, job: Job, fraction: float) -> None:
        with self._lock:
            self._listener.progressed(job, fraction)

    def ended(self, outcome: Outcome) -> None:
        with self._lock:
            self._listener.ended(outcome)
