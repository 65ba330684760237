"""Work on scans in several processes of one computer; any process may be killed.

Up to three scans are in a process that dies, and each may be the cause. Each of them is tried again alone in a process
when all other scans are done. A scan has failed if that process dies, too.
"""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import threading
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from typing import TYPE_CHECKING

from napari_bonescint.batch.dispatch import Note, Progress, dispatch
from napari_bonescint.batch.job import Outcome, failed
from napari_bonescint.batch.pipeline import DEPTH, work_here
from napari_bonescint.errors import BonescintError
from napari_bonescint.inference.devices import limit_cores, usable_cores
from napari_bonescint.processes.child import describe_exit, without_interrupts, without_main_module

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

    from napari_bonescint.batch.dispatch import News
    from napari_bonescint.batch.job import AnyWork, Job, ProgressListener

_SECONDS_TO_END = 5


class WorkersDie(BonescintError):
    """Worker processes that die repeatedly without any result."""


@dataclass(eq=False)
class _Worker:
    """A worker process with its unfinished jobs."""

    turn: int
    process: SpawnProcess
    pipe: Connection
    jobs: dict[int, Job] = field(default_factory=dict)
    on_trial: bool = False

    @property
    def room(self) -> int:
        """Number of further jobs that it can take."""
        return 0 if self.on_trial else DEPTH - len(self.jobs)

    def give(self, job: Job) -> None:
        self.jobs[job.number] = job
        with suppress(OSError):  # the process has died, which is noticed when its messages are read
            self.pipe.send(job)


def work_in_processes(jobs: Iterable[Job], work: AnyWork, listener: ProgressListener, workers: int) -> None:
    """Work on scans in several processes, which share the cores and, if the user names no GPU, the GPUs.

    Parameters
    ----------
    jobs : iterable of Job
    work : Work
        With a name of the run.
    listener : ProgressListener
        Receives outcomes in the order in which jobs end.
    workers : int
        Number of processes.

    Raises
    ------
    ModelError, DeviceError
        If the model or the device does not exist.
    WorkersDie
        If processes die repeatedly.
    """
    crew = _Crew(work, workers)
    try:
        dispatch(jobs, crew, listener)
    finally:
        crew.dismiss()


class _Crew:
    """The group of worker processes; each is started for its first job, and replaced if it dies."""

    def __init__(self, work: AnyWork, size: int) -> None:
        self._work = work
        self._cores = max(1, usable_cores() // size)
        # One bad scan kills two processes, so many deaths in a row have another cause.
        self._most_in_vain = 4 * size + 8
        self._in_vain = 0
        self._workers: list[_Worker] = []
        self._vacancies = deque(range(size))
        self._suspects: deque[Job] = deque()

    def room(self) -> int:
        return DEPTH * len(self._vacancies) + sum(worker.room for worker in self._workers)

    def give(self, job: Job) -> None:
        worker = self._hire() if self._vacancies else max(self._workers, key=lambda worker: worker.room)
        worker.give(job)

    def news(self) -> Iterator[News]:
        # A worker without jobs means that all other jobs are given out.
        while self._suspects and (idle := self._idle()) is not None:
            idle.on_trial = True
            idle.give(self._suspects.popleft())
        busy = {worker.pipe: worker for worker in self._workers if worker.jobs}
        for pipe in wait(list(busy)):
            yield from self._hear(busy[pipe])  # type: ignore[index]

    def dismiss(self) -> None:
        """End all processes at once, except while they write a result."""
        for worker in self._workers:
            worker.pipe.close()
        for worker in self._workers:
            worker.process.join(_SECONDS_TO_END)
            worker.process.kill()
            worker.process.join()

    def _idle(self) -> _Worker | None:
        return self._hire() if self._vacancies else next((each for each in self._workers if not each.jobs), None)

    def _hire(self) -> _Worker:
        context = multiprocessing.get_context("spawn")
        ours, childs = context.Pipe()
        turn = self._vacancies.popleft()
        process = context.Process(
            target=_serve, args=(childs, self._work, turn, self._cores), name=f"bonescint-{turn}", daemon=True
        )
        with without_interrupts(), without_main_module():
            process.start()
            # Only the child may hold this end; otherwise the parent would not notice the child's death.
            childs.close()
            worker = _Worker(turn, process, ours)
            self._workers.append(worker)
        return worker

    def _hear(self, worker: _Worker) -> Iterator[News]:
        try:
            news: News = worker.pipe.recv()
        except (EOFError, OSError):
            yield from self._bury(worker)
            return
        if isinstance(news, Outcome):
            del worker.jobs[news.number]
            if news.kind != "failed":
                self._in_vain = 0
        yield news

    def _bury(self, worker: _Worker) -> Iterator[Outcome]:
        """Remove a dead process: its jobs are tried again alone, or have failed."""
        worker.process.join()
        worker.pipe.close()
        self._workers.remove(worker)
        self._vacancies.append(worker.turn)
        how = describe_exit(worker.process.exitcode)
        self._in_vain += 1
        if self._in_vain > self._most_in_vain:
            raise WorkersDie(
                f"The last {self._in_vain} worker processes ended {how} before they had {self._work.done} a scan; use "
                "fewer --workers or another --model."
            )
        if not worker.on_trial:
            self._suspects.extend(worker.jobs.values())
            return
        for job in worker.jobs.values():
            yield failed(job, self._work, f"its worker process ended {how}, twice")


def _serve(pipe: Connection, work: AnyWork, turn: int, cores: int) -> None:
    """Run in a worker process: do jobs until the parent closes the pipe or dies."""
    # Ctrl-C in a terminal reaches all processes; only the parent handles it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    limit_cores(cores)
    jobs: queue.SimpleQueue[Job] = queue.SimpleQueue()
    writing = threading.Lock()
    threading.Thread(target=_listen, args=(pipe, jobs, writing), daemon=True).start()
    with suppress(ConnectionError):  # the parent has stopped, and reads no more
        try:
            work_here(iter(jobs.get, None), work, _PipeListener(pipe), turn=turn, while_writing=writing)
        except BonescintError as error:
            pipe.send(error)
            threading.Event().wait()  # until the parent closes the pipe


def _listen(pipe: Connection, jobs: queue.SimpleQueue[Job], writing: threading.Lock) -> None:
    with suppress(EOFError, OSError):
        while True:
            jobs.put(pipe.recv())
    # A running network cannot be interrupted, and a result must be complete.
    with writing:
        os._exit(1)


class _PipeListener:
    """Sends the events to the parent process."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def note(self, sentence: str) -> None:
        self._pipe.send(Note(sentence))

    def progressed(self, job: Job, fraction: float) -> None:
        self._pipe.send(Progress(job.number, fraction))

    def ended(self, outcome: Outcome) -> None:
        self._pipe.send(outcome)
