"""Segmenting in one process: what overlaps, and in what order it is told."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from listening import Listener
from napari_bonescint.batch.pipeline import DEPTH, work_here

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from napari_bonescint.batch.job import Job, Outcome
    from napari_bonescint.batch.segmenting import Segmenting

    Jobs = Callable[[int], list[Job]]

PATIENCE = 120
"""Seconds after which something that should happen meanwhile is taken never to happen."""


class Doorman:
    """Lets a result be written only once the scan after it is being computed."""

    def __init__(self, last: int) -> None:
        self.computing = threading.Semaphore(0)
        self.last = last
        self.number = 0
        self.in_time = True

    def __enter__(self) -> None:
        # The first scan does not wait for another; after the last one none comes.
        if self.number < self.last:
            self.in_time &= self.computing.acquire(timeout=PATIENCE)
        self.number += 1

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None):
        pass


def test_the_next_scan_is_read_and_the_last_result_written_while_one_is_computed(jobs: Jobs, work: Segmenting) -> None:
    asked = [threading.Event() for _ in range(4)]
    doorman = Doorman(last=3)
    read_in_time = []

    class Watching(Listener):
        def progressed(self, job: Job, fraction: float) -> None:
            if fraction == 0:
                if job.number:
                    doorman.computing.release()
                if job.number < 3:
                    read_in_time.append(asked[job.number + 1].wait(PATIENCE))

    def coming() -> Iterator[Job]:
        for job in jobs(4):
            asked[job.number].set()
            yield job

    listener = Watching()
    work_here(coming(), work, listener, while_writing=doorman)
    assert [outcome.number for outcome in listener.outcomes] == [0, 1, 2, 3]
    assert set(listener.kinds.values()) == {"segmented"}
    assert read_in_time == [True, True, True]
    assert doorman.in_time


def test_no_more_scans_are_asked_for_than_have_room(jobs: Jobs, work: Segmenting) -> None:
    asked = 0
    ahead = []

    class Counting(Listener):
        def ended(self, outcome: Outcome) -> None:
            super().ended(outcome)
            ahead.append(asked - len(self.outcomes))

    def coming() -> Iterator[Job]:
        nonlocal asked
        for job in jobs(8):
            asked += 1
            yield job

    work_here(coming(), work, Counting())
    assert max(ahead) <= DEPTH


def test_all_is_told_in_the_order_of_the_jobs(jobs: Jobs, work: Segmenting) -> None:
    some = jobs(5)
    work_here(some[1:2], work, Listener())
    some[3].source.paths[0].unlink()
    listener = Listener()
    work_here(some, replace(work, run="another"), listener)
    assert list(listener.kinds.items()) == [
        (0, "segmented"),
        (1, "kept"),
        (2, "segmented"),
        (3, "failed"),
        (4, "segmented"),
    ]
    assert listener.notes == ["Model tiny. CPU: chosen by the user."]


def test_what_is_written_is_told_of_even_if_the_user_interrupts(jobs: Jobs, work: Segmenting) -> None:
    class Interrupting(Listener):
        def progressed(self, job: Job, fraction: float) -> None:
            if (job.number, fraction) == (2, 0):
                raise KeyboardInterrupt

    some = jobs(6)
    listener = Interrupting()
    with pytest.raises(KeyboardInterrupt):
        work_here(some, work, listener)
    assert listener.kinds == {0: "segmented", 1: "segmented"}
    assert [job.number for job in some if job.result.facts.exists()] == [0, 1]


def test_nothing_to_do_loads_no_model(work: Segmenting) -> None:
    listener = Listener()
    work_here([], work, listener)
    assert (listener.notes, listener.outcomes) == ([], [])
