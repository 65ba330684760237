"""What is needed around child processes: a start without side effects, and a word on their end."""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import contextmanager
from multiprocessing import resource_tracker
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def without_interrupts() -> Iterator[None]:
    """Keep Ctrl-C, which reaches every process of a terminal, from a child that starts, and from this one till then.

    A child that is to ignore it needs a moment to say so. Windows cannot do this.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # It starts together with the first child, and would let signals through again.
    resource_tracker.ensure_running()
    handler, came = signal.getsignal(signal.SIGINT), list[int]()
    # What the main thread does not take, another one does, such as those of numpy; Python's handler then runs all the
    # same. One that is to ignore Ctrl-C stays as it is, since a child inherits it.
    put_off = callable(handler) and threading.current_thread() is threading.main_thread()
    if put_off:
        signal.signal(signal.SIGINT, lambda number, _frame: came.append(number))
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        if put_off:
            signal.signal(signal.SIGINT, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        if came:
            signal.raise_signal(signal.SIGINT)


@contextmanager
def without_main_module() -> Iterator[None]:
    """Keep a spawned child from importing this program's main module: that of napari would bring all of Qt along."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def how_it_ended(exit_code: int | None) -> str:
    """How a child ended that should not have: ``unexpectedly``, and what its exit code tells."""
    if exit_code is not None and exit_code < 0:
        try:
            name = signal.Signals(-exit_code).name
        except ValueError:  # those between the first and the last for real time have no names
            name = f"signal {-exit_code}"
        cause = ", most often for lack of memory" if name == "SIGKILL" else ""
        return f"unexpectedly ({name}{cause})"
    return "unexpectedly" if exit_code is None else f"unexpectedly (exit code {exit_code})"
