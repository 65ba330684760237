"""How work on files is handed to another thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

T = TypeVar("T")


class Run(Protocol):
    """`FileWorker.run`, or whatever else does work in order and hands over its results after it has returned."""

    def __call__(self, work: Callable[[], T], then: Callable[[T], None], failed: Callable[[str], None]) -> Future[T]:
        """Do `work`, then tell `then` its result, or `failed` the sentence of a `BonescintError`."""


def ignore(_result: object) -> None:
    """Take a result of which nobody needs to know."""
