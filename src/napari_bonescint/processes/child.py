"""Start child processes without side effects, end them with their parent, and describe their end."""

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
"""Environment variable with the id of a process; a command of this package ends with that process."""

_POLL_SECONDS = 1.0
_starting = threading.RLock()


@contextmanager
def without_interrupts() -> Iterator[None]:
    """Block Ctrl-C, which a terminal sends to all its processes, while a child starts; afterwards it takes effect here.

    A child needs a moment before it can ignore Ctrl-C. Windows cannot block it.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # The resource tracker starts with the first child, and would unblock the signal.
    resource_tracker.ensure_running()
    handler, came = signal.getsignal(signal.SIGINT), list[int]()
    # Another thread, such as one of numpy's, may take the signal while the main thread blocks it; Python's handler then
    # runs anyway. A process that ignores Ctrl-C keeps doing so, since a child inherits it.
    deferred = callable(handler) and threading.current_thread() is threading.main_thread()
    if deferred:
        signal.signal(signal.SIGINT, lambda number, _frame: came.append(number))
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        if deferred:
            signal.signal(signal.SIGINT, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        if came:
            signal.raise_signal(signal.SIGINT)


@contextmanager
def without_main_module() -> Iterator[None]:
    """Stop a spawned child from importing this program's main module; that of napari would load all of Qt."""
    with _starting:  # two threads may start children
        main = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = main


def end_with_parent() -> None:
    """Ignore Ctrl-C in this multiprocessing child, and end when the parent ends for any reason.

    A child calls this first; it ends at once if the parent has already ended. A terminal sends Ctrl-C to the whole
    group of processes, and the parent decides what it means.
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
    """Add this process to the environment of new processes as `STARTER`: commands of this package then end with it."""
    environment[STARTER] = str(os.getpid())
    try:
        yield
    finally:
        del environment[STARTER]


def end_with_starter() -> None:
    """End this process when the process named by `STARTER` ends for any reason; commands call this first."""
    # The variable is removed, since it does not apply to children of this process.
    starter = os.environ.pop(STARTER, "")
    if not starter.isdecimal():
        return
    # Most commands have no starter, and start faster without this import.
    import psutil

    try:
        process = psutil.Process(int(starter))
        # A process created later has the same id.
        is_another = process.create_time() > psutil.Process().create_time()
    except psutil.Error:
        is_another = True
    if is_another:
        os._exit(1)

    def lives() -> bool:
        try:
            # A process that ended remains in the process table until its parent has waited for it.
            return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
        except psutil.AccessDenied:
            return True
        except psutil.Error:
            return False

    def end() -> None:
        while lives():
            time.sleep(_POLL_SECONDS)
        os._exit(1)

    threading.Thread(target=end, name="end-with-starter", daemon=True).start()


def describe_exit(exit_code: int | None) -> str:
    """Describe the unplanned end of a child: ``unexpectedly``, with its signal or exit code."""
    if exit_code is not None and exit_code < 0:
        try:
            name = signal.Signals(-exit_code).name
        except ValueError:  # most real-time signals have no names
            name = f"signal {-exit_code}"
        cause = ", most often for lack of memory" if name == "SIGKILL" else ""
        return f"unexpectedly ({name}{cause})"
    return "unexpectedly" if exit_code is None else f"unexpectedly (exit code {exit_code})"
