"""A thread for work on files that needs no Qt: what it did is told when a test says so."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from napari_bonescint.errors import BonescintError

if TYPE_CHECKING:
    from collections.abc import Callable


class PlainWorker:
    """Does pieces of work one after the other."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._given: deque[tuple[Future[Any], Callable[..., object], Callable[[str], object]]] = deque()

    def run(self, work: Callable[[], Any], then: Callable[..., object], failed: Callable[[str], object]) -> Future[Any]:
        future = self._thread.submit(work)
        self._given.append((future, then, failed))
        return future

    def settle(self) -> None:
        """Wait until all is done, and tell it, with what comes of that."""
        while self._given:
            future, then, failed = self._given.popleft()
            try:
                result = future.result(30)
            except BonescintError as error:
                failed(str(error))
            else:
                then(result)

    def close(self) -> None:
        self.settle()
        self._thread.shutdown()
