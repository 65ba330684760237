"""Segmenting in several processes on one computer, of which any may be killed.

A process that dies takes down up to three scans, of which any one may be the cause. When all others are done, each of
them is tried once more, in a process that has nothing else to do; only what dies there, too, has failed.
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
from napari_bonescint.batch.pipeline import DEPTH, segment_here
from napari_bonescint.child_process import describe_exit, without_interrupts, without_main_module
from napari_bonescint.errors import BonescintError
from napari_bonescint.inference.devices import limit_cores, usable_cores

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

    from napari_bonescint.batch.dispatch import News
    from napari_bonescint.batch.job import Job, ProgressListener, Settings

_SECONDS_TO_END = 5


class WorkersDie(BonescintError):
    """Worker processes end one after the other without having done anything."""


@dataclass(eq=False)
class _Worker:
    """A process, and what it has been given and not yet answered."""

    turn: int
    process: SpawnProcess
    pipe: Connection
    jobs: dict[int, Job] = field(default_factory=dict)
    on_trial: bool = False

    @property
    def room(self) -> int:
        """For how many more jobs there is room."""
        return 0 if self.on_trial else DEPTH - len(self.jobs)

    def give(self, job: Job) -> None:
        self.jobs[job.number] = job
        with suppress(OSError):  # it has died, which shows when it is heard next
            self.pipe.send(job)


def segment_in_processes(jobs: Iterable[Job], settings: Settings, listener: ProgressListener, workers: int) -> None:
    """Segment scans in several processes, which share the cores; where no GPU is named, they share the GPUs, too.

    Parameters
    ----------
    jobs : iterable of Job
    settings : Settings
        With a name of the run.
    listener : ProgressListener
        ProgressListener about the jobs in the order in which they end.
    workers : int
        How many processes.

    Raises
    ------
    ModelError, DeviceError
        If the model or the device is not there.
    WorkersDie
        If they end again and again.
    """
    crew = _Crew(settings, workers)
    try:
        dispatch(jobs, crew, listener)
    finally:
        crew.dismiss()


class _Crew:
    """The processes. Each is started when there is a job for it, and another in its place if it dies."""

    def __init__(self, settings: Settings, size: int) -> None:
        self._settings = settings
        self._cores = max(1, usable_cores() // size)
        # One bad scan takes two processes with it; it takes many bad ones in a row to pass for something worse.
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
        # Whoever has nothing to do now has been offered all other jobs.
        while self._suspects and (idle := self._idle()) is not None:
            idle.on_trial = True
            idle.give(self._suspects.popleft())
        busy = {worker.pipe: worker for worker in self._workers if worker.jobs}
        for pipe in wait(list(busy)):
            yield from self._hear(busy[pipe])  # type: ignore[index]

    def dismiss(self) -> None:
        """End all processes, at once but for a result that is being written."""
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
            target=_serve, args=(childs, self._settings, turn, self._cores), name=f"bonescint-{turn}", daemon=True
        )
        with without_interrupts(), without_main_module():
            process.start()
            # Only the child must hold this end, or its death would never be noticed here.
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
        """See to the jobs of a process that has died, and make its place free for another."""
        worker.process.join()
        worker.pipe.close()
        self._workers.remove(worker)
        self._vacancies.append(worker.turn)
        how = describe_exit(worker.process.exitcode)
        self._in_vain += 1
        if self._in_vain > self._most_in_vain:
            raise WorkersDie(
                f"The last {self._in_vain} worker processes ended {how} before they had segmented a scan; use fewer "
                "--workers or another --model."
            )
        if not worker.on_trial:
            self._suspects.extend(worker.jobs.values())
            return
        for job in worker.jobs.values():
            yield failed(job, f"its worker process ended {how}, twice")


def _serve(pipe: Connection, settings: Settings, turn: int, cores: int) -> None:
    """What a worker process does: segment what comes, until its parent hangs up or is gone."""
    # Ctrl-C in a terminal goes to the whole group; what it means is the parent's to decide.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    limit_cores(cores)
    jobs: queue.SimpleQueue[Job] = queue.SimpleQueue()
    writing = threading.Lock()
    threading.Thread(target=_listen, args=(pipe, jobs, writing), daemon=True).start()
    try:
        segment_here(iter(jobs.get, None), settings, _PipeListener(pipe), turn=turn, while_writing=writing)
    except BonescintError as error:
        pipe.send(error)
        threading.Event().wait()  # for the parent to hang up


def _listen(pipe: Connection, jobs: queue.SimpleQueue[Job], writing: threading.Lock) -> None:
    with suppress(EOFError, OSError):
        while True:
            jobs.put(pipe.recv())
    # A network in the midst of its work cannot be interrupted, and a result must not be cut off.
    with writing:
        os._exit(1)


class _PipeListener:
    """Tells the parent process."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def note(self, sentence: str) -> None:
        self._pipe.send(Note(sentence))

    def progressed(self, job: Job, fraction: float) -> None:
        self._pipe.send(Progress(job.number, fraction))

    def ended(self, outcome: Outcome) -> None:
        self._pipe.send(outcome)
