from __future__ import annotations

import threading
import time

import pytest

from napari_bonescint.archive.connection.waiting import wait_for
from napari_bonescint.archive.errors import ArchiveError
from napari_bonescint.errors import Cancelled


def wait(work, seconds=5.0, is_cancelled=lambda: False, on_event=lambda _event: None, **more):
    closed = threading.Event()
    late = lambda: ArchiveError("late")  # noqa: E731
    try:
        return wait_for(
            work, seconds=seconds, late=late, close=closed.set, is_cancelled=is_cancelled, on_event=on_event, **more
        )
    finally:
        wait.closed = closed.is_set()


def test_the_result_and_the_events_arrive_in_the_thread_that_waits() -> None:
    events = []

    def work(tell):
        tell(1)
        tell(2)
        return "done"

    assert wait(work, on_event=lambda event: events.append((event, threading.current_thread()))) == "done"
    assert events == [(1, threading.current_thread()), (2, threading.current_thread())]
    assert not wait.closed


def test_an_error_is_raised_here() -> None:
    with pytest.raises(ZeroDivisionError):
        wait(lambda _tell: 1 / 0)


def test_a_wait_without_end_is_cancelled_at_once() -> None:
    stop, began = threading.Event(), time.monotonic()
    with pytest.raises(Cancelled):
        wait(lambda _tell: stop.wait(5), is_cancelled=lambda: time.monotonic() - began > 0.1)
    assert time.monotonic() - began < 1
    assert wait.closed
    stop.set()


def test_a_wait_is_over_when_nothing_happens_and_when_too_much_does() -> None:
    stop = threading.Event()
    with pytest.raises(ArchiveError, match="late"):
        wait(lambda _tell: stop.wait(5), seconds=0.1)
    assert wait.closed

    def endless(tell):
        while not stop.wait(0.01):
            tell(0)

    with pytest.raises(ArchiveError, match="late"):
        wait(endless, seconds=1, most_seconds=0.2)
    stop.set()
