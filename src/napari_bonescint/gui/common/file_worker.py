"""Work on files in a thread of its own, so that the window never waits for a disk or a network folder."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from qtpy.QtCore import QObject, Qt, Signal

from napari_bonescint.errors import BonescintError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class FileWorker(QObject):
    """One thread that does pieces of work one after the other, in the order in which they were given.

    Parameters
    ----------
    parent : QObject
        What the results are for.
    """

    _finished = Signal(object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="bonescint")
        self._closed = False
        # The signal is what carries a result over to the thread of the window; queued also where work is done so soon
        # that it is told from there, or it would come before `run` is over, and before what was done earlier.
        self._finished.connect(self._hand_over, Qt.ConnectionType.QueuedConnection)

    def run(self, work: Callable[[], T], then: Callable[[T], None], failed: Callable[[str], None]) -> Future[T]:
        """Do `work` in the thread, then tell the window.

        Parameters
        ----------
        work : callable
            Touches no widget and no layer.
        then : callable
            Told the result, in the thread of the window, after this has returned.
        failed : callable
            Told the sentence of a `BonescintError`, likewise.

        Returns
        -------
        Future
            For those who must wait, such as a window that closes.
        """
        future = self._thread.submit(work)
        future.add_done_callback(lambda done: None if self._closed else self._finished.emit((done, then, failed)))
        return future

    def close(self) -> None:
        """Finish what is being done and what is waiting, and tell nobody any more."""
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
