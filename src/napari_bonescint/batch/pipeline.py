"""Segmenting in one process: the next scan is read and the last result is written while a scan is computed."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, nullcontext
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from napari_bonescint.batch.job import Outcome, Settings, Told, compute, describe, load, read, write

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari_bonescint.batch.job import Job
    from napari_bonescint.inference.segmenter import Segmenter
    from napari_bonescint.scan import Scan
    from napari_bonescint.segmentation import Segmentation

DEPTH = 3
"""How many scans are in memory at most: one that is read, one that is computed and one that is written."""


def segment_here(
    jobs: Iterable[Job],
    settings: Settings,
    told: Told,
    *,
    turn: int = 0,
    while_writing: AbstractContextManager[object] | None = None,
) -> None:
    """Segment scans one after the other.

    Parameters
    ----------
    jobs : iterable of Job
        Asked for the next one in a thread, so it may take its time.
    settings : Settings
    told : Told
        Told about the jobs in their order.
    turn : int
        Which of several GPUs to take, counted round, where the user names none.
    while_writing : context manager, optional
        Entered for as long as a result is being written.

    Raises
    ------
    ModelError, DeviceError
        If the model or the device is not there.
    """
    coming = iter(jobs)
    writing = while_writing or nullcontext()

    @cache
    def segmenter() -> Segmenter:
        loaded = load(settings, turn)
        told.note(describe(loaded))
        return loaded

    reader = ThreadPoolExecutor(1, "reader")
    writer = ThreadPoolExecutor(1, "writer")
    behind: Future[Outcome] | None = None

    def read_next() -> tuple[Job, Scan | Outcome] | None:
        job = next(coming, None)
        return None if job is None else (job, read(job, settings))

    def write_last(job: Job, scan: Scan, segmentation: Segmentation) -> Outcome:
        with writing:
            return write(job, scan, segmentation, settings)

    def tell_about_last() -> None:
        nonlocal behind
        if behind is not None:
            written, behind = behind, None
            told.ended(written.result())

    try:
        ahead: Future[tuple[Job, Scan | Outcome] | None] | None = reader.submit(read_next)
        while ahead or behind:
            under_way: list[Future[Any]] = [future for future in (ahead, behind) if future is not None]
            wait(under_way, return_when=FIRST_COMPLETED)
            if behind is not None and behind.done():
                tell_about_last()
            if ahead is None or not ahead.done():
                continue
            was_read = ahead.result()
            if was_read is None:
                ahead = None
                continue
            ahead = reader.submit(read_next)
            job, scan = was_read
            computed: Segmentation | Outcome
            if isinstance(scan, Outcome):
                computed = scan
            else:
                told.progressed(job, 0)
                computed = compute(job, scan, segmenter, partial(told.progressed, job))
            tell_about_last()
            if isinstance(computed, Outcome):
                told.ended(computed)
            elif not isinstance(scan, Outcome):
                behind = writer.submit(write_last, job, scan, computed)
    finally:
        # Whatever ended the run, what is on the disk is told of. What is being read ends by itself.
        reader.shutdown(wait=False, cancel_futures=True)
        tell_about_last()
        writer.shutdown()
