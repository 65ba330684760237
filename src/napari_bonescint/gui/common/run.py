"""The interface of a thread that works on files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

T = TypeVar("T")


class Run(Protocol):
    """`FileWorker.run`, or another function that runs work in order and reports the result after it has returned."""

    def __call__(self, work: Callable[[], T], then: Callable[[T], None], failed: Callable[[str], None]) -> Future[T]:
        """Run `work`, then call `then` with the result, or `failed` with the sentence of a `BonescintError`."""


def ignore(_result: object) -> None:
    """Ignore a result."""
