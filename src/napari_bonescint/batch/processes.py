"""Segmenting in several processes on one computer, of which any may be killed.

A process that dies takes down up to three scans, of which any one may be the cause. Each of them is tried once more, in
a process that has nothing else to do; only what dies there, too, has failed.
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

from napari_bonescint.batch.job import Outcome, failed
from napari_bonescint.batch.pipeline import DEPTH, segment_here
from napari_bonescint.child_process import how_it_ended, without_interrupts, without_main_module
from napari_bonescint.errors import BonescintError
from napari_bonescint.inference.devices import limit_cores, usable_cores

if TYPE_CHECKING:
    from collections.abc import Iterable
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

    from napari_bonescint.batch.job import Job, Settings, Told

_SECONDS_TO_END = 5


class WorkersDie(BonescintError):
    """Worker processes end one after the other without having done anything."""


@dataclass(frozen=True)
class _Noted:
    sentence: str


@dataclass(frozen=True)
class _Progressed:
    number: int
    fraction: float


@dataclass(eq=False)
class _Worker:
    """A process, and what it has been given and not yet answered."""

    turn: int
    process: SpawnProcess
    pipe: Connection
    jobs: dict[int, Job] = field(default_factory=dict)
    on_trial: bool = False


def segment_in_processes(jobs: Iterable[Job], settings: Settings, told: Told, workers: int) -> None:
    """Segment scans in several processes, which share the cores; where no GPU is named, they share the GPUs, too.

    Parameters
    ----------
    jobs : iterable of Job
    settings : Settings
        With a name of the run.
    told : Told
        Told about the jobs in the order in which they end.
    workers : int
        How many processes.

    Raises
    ------
    ModelError, DeviceError
        If the model or the device is not there.
    WorkersDie
        If they end again and again.
    """
    crew = _Crew(jobs, settings, told, workers)
    try:
        crew.work()
    finally:
        crew.dismiss()


class _Crew:
    def __init__(self, jobs: Iterable[Job], settings: Settings, told: Told, workers: int) -> None:
        self._fresh = deque(jobs)
        self._suspects: deque[Job] = deque()
        self._settings = settings
        self._told = told
        self._cores = max(1, usable_cores() // workers)
        self._in_vain = 0
        # One bad scan takes two processes with it; it takes many bad ones in a row to pass for something worse.
        self._most_in_vain = 4 * workers + 8
        self._workers: list[_Worker] = []
        self._size = workers

    def work(self) -> None:
        for turn in range(self._size):
            self._hire(turn)
        while busy := {worker.pipe: worker for worker in self._workers if worker.jobs}:
            for pipe in wait(list(busy)):
                self._hear(busy[pipe])  # type: ignore[index]

    def dismiss(self) -> None:
        """End all processes, at once but for a result that is being written."""
        for worker in self._workers:
            worker.pipe.close()
        for worker in self._workers:
            worker.process.join(_SECONDS_TO_END)
            worker.process.kill()
            worker.process.join()

    def _hire(self, turn: int) -> None:
        context = multiprocessing.get_context("spawn")
        ours, childs = context.Pipe()
        process = context.Process(
            target=_serve, args=(childs, self._settings, turn, self._cores), name=f"bonescint-{turn}", daemon=True
        )
        with without_interrupts(), without_main_module():
            process.start()
            # Only the child must hold this end, or its death would never be noticed here.
            childs.close()
            worker = _Worker(turn, process, ours)
            self._workers.append(worker)
        self._feed(worker)

    def _feed(self, worker: _Worker) -> None:
        """Give a worker what it has room for."""
        if not worker.jobs:
            worker.on_trial = bool(self._suspects)
            if self._suspects:
                self._give(worker, self._suspects.popleft())
        # While there are suspects, the others run dry, so that each of them tries one.
        while self._fresh and not self._suspects and not worker.on_trial and len(worker.jobs) < DEPTH:
            self._give(worker, self._fresh.popleft())

    def _give(self, worker: _Worker, job: Job) -> None:
        worker.jobs[job.number] = job
        with suppress(OSError):  # it has died, which shows when it is heard next
            worker.pipe.send(job)

    def _hear(self, worker: _Worker) -> None:
        try:
            message = worker.pipe.recv()
        except (EOFError, OSError):
            self._replace(worker)
            return
        match message:
            case Outcome():
                if message.kind != "failed":
                    self._in_vain = 0
                del worker.jobs[message.number]
                self._feed(worker)
                self._told.ended(message)
            case _Progressed(number, fraction):
                self._told.progressed(worker.jobs[number], fraction)
            case _Noted(sentence):
                self._told.note(sentence)
            case BonescintError():
                raise message

    def _replace(self, worker: _Worker) -> None:
        """Start another process in the place of one that has died, and see to its jobs."""
        worker.process.join()
        worker.pipe.close()
        self._workers.remove(worker)
        how = how_it_ended(worker.process.exitcode)
        self._in_vain += 1
        if self._in_vain > self._most_in_vain:
            raise WorkersDie(
                f"The last {self._in_vain} worker processes ended {how} before they had segmented a scan; use fewer "
                "--workers or another --model."
            )
        if worker.on_trial:
            for job in worker.jobs.values():
                self._told.ended(failed(job, f"its worker process ended {how}, twice"))
        else:
            self._suspects.extend(worker.jobs.values())
        if self._fresh or self._suspects:
            self._hire(worker.turn)


def _serve(pipe: Connection, settings: Settings, turn: int, cores: int) -> None:
    """What a worker process does: segment what comes, until its parent hangs up or is gone."""
    # Ctrl-C in a terminal goes to the whole group; what it means is the parent's to decide.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    limit_cores(cores)
    jobs: queue.SimpleQueue[Job] = queue.SimpleQueue()
    writing = threading.Lock()
    threading.Thread(target=_listen, args=(pipe, jobs, writing), daemon=True).start()
    try:
        segment_here(iter(jobs.get, None), settings, _ToldByPipe(pipe), turn=turn, while_writing=writing)
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


class _ToldByPipe:
    """Tells the parent process."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def note(self, sentence: str) -> None:
        self._pipe.send(_Noted(sentence))

    def progressed(self, job: Job, fraction: float) -> None:
        self._pipe.send(_Progressed(job.number, fraction))

    def ended(self, outcome: Outcome) -> None:
        self._pipe.send(outcome)
