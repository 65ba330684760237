"""Batches made by other processes, which end with this one and leave Ctrl-C to it."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING

from torch.utils.data import DataLoader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_bonescint.training.batches import Batch, Batches

_WARNINGS = "PYTHONWARNINGS"
_NO_LEAKS = "ignore::UserWarning:multiprocessing.resource_tracker"


def load(batches: Batches, steps: range, workers: int) -> Iterator[Batch]:
    """The batches of some steps, made ahead.

    Parameters
    ----------
    batches : Batches
    steps : range
    workers : int
        Processes that make them, which takes each some two seconds to start; 0 makes them in this one.

    Returns
    -------
    iterator of Batch
        In the order of the steps. The processes end when it is let go.
    """
    if workers == 0:
        return map(batches.__getitem__, steps)
    loader = DataLoader(
        batches,
        batch_size=None,
        sampler=steps,
        num_workers=workers,
        worker_init_fn=_ignore_ctrl_c,
        # A fork, the default on Linux, would copy what this process's other threads are in the midst of changing.
        multiprocessing_context="spawn",
    )
    if sys.platform == "win32":
        return iter(loader)
    _start_resource_tracker()
    with _ctrl_c_for_this_process():
        return iter(loader)


@contextmanager
def _ctrl_c_for_this_process() -> Iterator[None]:
    """Keep Ctrl-C, which reaches every process of a terminal, from those that start here; this one ends them.

    They inherit that it is blocked, and so are safe during the seconds before `_ignore_ctrl_c`, too.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _ignore_ctrl_c(_worker: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _start_resource_tracker() -> None:
    """Start the process that removes the semaphores of others which were killed, and let it be silent about it.

    Its warning would be the last that a killed training seems to have said. Python starts it with the first child
    otherwise, and lets Ctrl-C through when it has.
    """
    before = os.environ.get(_WARNINGS)
    os.environ[_WARNINGS] = _NO_LEAKS if before is None else f"{before},{_NO_LEAKS}"
    try:
        resource_tracker.ensure_running()
    finally:
        if before is None:
            del os.environ[_WARNINGS]
        else:
            os.environ[_WARNINGS] = before
