"""Load batches in worker processes, which end with the training and ignore Ctrl-C."""

from __future__ import annotations

import os
import sys
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING

from torch.utils.data import DataLoader

from napari_bonescint.processes.child import end_with_parent, without_interrupts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_bonescint.training.data.batches import Batch, Batches

_WARNINGS = "PYTHONWARNINGS"
_NO_LEAKS = "ignore::UserWarning:multiprocessing.resource_tracker"


def load(batches: Batches, steps: range, workers: int) -> Iterator[Batch]:
    """Load the batches of some steps ahead of time.

    Parameters
    ----------
    batches : Batches
    steps : range
    workers : int
        Number of worker processes, each of which needs about two seconds to start; 0 loads in this process.

    Returns
    -------
    iterator of Batch
        In the order of the steps. The workers end when the iterator is deleted.
    """
    if workers == 0:
        return map(batches.__getitem__, steps)
    loader = DataLoader(
        batches,
        batch_size=None,
        sampler=steps,
        num_workers=workers,
        worker_init_fn=_serve,
        # A fork, the default on Linux, would copy memory that other threads are changing.
        multiprocessing_context="spawn",
    )
    if sys.platform != "win32":
        _start_resource_tracker()
    with without_interrupts():
        return iter(loader)


def _serve(_worker: int) -> None:
    # PyTorch's own check compares with the parent after start; it misses a parent that was killed before.
    end_with_parent()


def _start_resource_tracker() -> None:
    """Start Python's resource tracker without its warnings.

    It removes semaphores of killed processes. Its warning would be the last line in the output of a killed training.
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
