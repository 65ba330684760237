"""What is needed around child processes: a start without side effects, an end with their parent, and a word on it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from contextlib import contextmanager
from multiprocessing import resource_tracker
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping

STARTER = "BONESCINT_STARTER"
"""Environment variable with the number of the process with which a command of this package is to end."""

_LOOK_SECONDS = 1.0


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


def serve_parent() -> None:
    """Leave Ctrl-C to the process that started this one by multiprocessing, and end with it, however it ends.

    To be called first: a parent that is no more by then counts, too. Ctrl-C in a terminal goes to the whole group of
    processes; what it means is the parent's to decide.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def end() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=end, name="end-with-parent", daemon=True).start()


@contextmanager
def starter_named(environment: MutableMapping[str, str]) -> Iterator[None]:
    """Name this process in the environment in which others are started: commands of this package then end with it."""
    environment[STARTER] = str(os.getpid())
    try:
        yield
    finally:
        del environment[STARTER]


def end_with_starter() -> None:
    """End when the process does that the environment names as `STARTER`, however it ends; commands call this first."""
    # What this process itself starts is not meant.
    starter = os.environ.pop(STARTER, "")
    if not starter.isdecimal():
        return
    # Most commands have no starter, and begin sooner without it.
    import psutil

    try:
        process = psutil.Process(int(starter))
        # A later one has got its number.
        is_another = process.create_time() > psutil.Process().create_time()
    except psutil.Error:
        is_another = True
    if is_another:
        os._exit(1)

    def lives() -> bool:
        try:
            # One that has ended stays in the table of processes until somebody has waited for it.
            return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
        except psutil.AccessDenied:
            return True
        except psutil.Error:
            return False

    def end() -> None:
        while lives():
            time.sleep(_LOOK_SECONDS)
        os._exit(1)

    threading.Thread(target=end, name="end-with-starter", daemon=True).start()


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
