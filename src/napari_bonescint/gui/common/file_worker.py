"""A thread for work on files, so that the window never waits for a disk or a network folder."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from qtpy.QtCore import QObject, Qt, Signal

from napari_bonescint.errors import BonescintError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class FileWorker(QObject):
    """One thread that runs functions in the order in which they were given; `parent` is the widget for the results."""

    _finished = Signal(object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="bonescint")
        self._closed = False
        # The signal takes a result to the thread of the window. It is always queued: otherwise the result of very
        # short work would arrive before `run` returns, and before earlier results.
        self._finished.connect(self._hand_over, Qt.ConnectionType.QueuedConnection)

    def run(self, work: Callable[[], T], then: Callable[[T], None], failed: Callable[[str], None]) -> Future[T]:
        """Run `work` in the thread, then report to the thread of the window.

        Parameters
        ----------
        work : callable
            Must not touch widgets or layers.
        then : callable
            Called with the result in the thread of the window, after `run` has returned.
        failed : callable
            Called in the same way with the sentence of a `BonescintError`.

        Returns
        -------
        Future
            For callers that must wait, such as a window that closes. After `close`, it is cancelled.
        """
        if self._closed:
            dropped: Future[T] = Future()
            dropped.cancel()
            return dropped
        future = self._thread.submit(work)
        future.add_done_callback(lambda done: None if self._closed else self._finished.emit((done, then, failed)))
        return future

    def close(self) -> None:
        """Finish all work that was given, without reporting it."""
        self._closed = True
        self._thread.shutdown(wait=True)

    def _hand_over(self, message: tuple[Future[T], Callable[[T], None], Callable[[str], None]]) -> None:
        future, then, failed = message
        if self._closed:
            return
        try:
            result = future.result()
        except BonescintError as error:
            failed(str(error))
        else:
            then(result)
