"""Batches made by other processes, which end with this one and leave Ctrl-C to it."""

from __future__ import annotations

import os
import sys
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING

from torch.utils.data import DataLoader

from napari_bonescint.child_process import end_with_parent, without_interrupts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_bonescint.training.data.batches import Batch, Batches

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
        worker_init_fn=_serve,
        # A fork, the default on Linux, would copy what this process's other threads are in the midst of changing.
        multiprocessing_context="spawn",
    )
    if sys.platform != "win32":
        _start_resource_tracker()
    with without_interrupts():
        return iter(loader)


def _serve(_worker: int) -> None:
    # PyTorch lets its workers look whether the parent of their first second is still theirs: one that was killed before
    # is never missed.
    end_with_parent()


def _start_resource_tracker() -> None:
    """Start the process that removes the semaphores of others which were killed, and let it be silent about it.

    Its warning would be the last that a killed training seems to have said. Python starts it with the first child
    otherwise.
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
