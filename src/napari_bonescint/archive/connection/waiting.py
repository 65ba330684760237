"""Wait for an archive with a deadline, and end the wait at once when the user cancels.

Libraries block in system calls, and a look-up of a name has no time limit at all. So the work runs in a thread of its
own, which is left behind when the wait ends early. Closing its connection ends it.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Generic, TypeVar

from napari_bonescint.errors import Cancelled

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_bonescint.archive.progress import IsCancelled

T = TypeVar("T")
E = TypeVar("E")

_POLL_SECONDS = 0.05


class _Done(Generic[T]):
    """The end of the work: what it returned or raised."""

    def __init__(self, value: T | None, error: BaseException | None) -> None:
        self.value, self.error = value, error


def wait_for(
    work: Callable[[Callable[[E], None]], T],
    *,
    seconds: float,
    late: Callable[[], Exception],
    close: Callable[[], object],
    is_cancelled: IsCancelled,
    on_event: Callable[[E], object],
    most_seconds: float | None = None,
) -> T:
    """Do work in a thread and wait for it.

    Parameters
    ----------
    work : callable
        Takes a function that reports an event, and returns the result.
    seconds : float
        Longest time without an event.
    late : callable
        Makes the error to raise when time is up.
    close : callable
        Closes the connection, so that `work` ends, when the wait ends early. It must not block.
    is_cancelled : callable
        Asked in this thread.
    on_event : callable
        Receives the events, in this thread.
    most_seconds : float, optional
        Longest time in all, however many events come.

    Raises
    ------
    Cancelled
        If `is_cancelled` returned true.
    Exception
        What `work` or `late` gave.
    """
    events: SimpleQueue[E | _Done[T]] = SimpleQueue()

    def run() -> None:
        try:
            value = work(events.put)
        except BaseException as error:  # passed on to the thread that waits
            events.put(_Done(None, error))
        else:
            events.put(_Done(value, None))

    def leave() -> None:
        with suppress(Exception):  # the error that is being raised matters more
            close()

    threading.Thread(target=run, name="archive", daemon=True).start()
    began = last = time.monotonic()
    while True:
        if is_cancelled():
            leave()
            raise Cancelled("Cancelled.")
        now = time.monotonic()
        if now - last > seconds or (most_seconds is not None and now - began > most_seconds):
            leave()
            raise late()
        try:
            event = events.get(timeout=_POLL_SECONDS)
        except Empty:
            continue
        except BaseException:  # Ctrl-C
            leave()
            raise
        last = time.monotonic()
        if not isinstance(event, _Done):
            try:
                on_event(event)
            except BaseException:
                leave()
                raise
            continue
        if event.error is not None:
            raise event.error
        return event.value  # type: ignore[return-value]  # the work returned it
