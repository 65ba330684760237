"""Failures of archives, each one sentence with the archive's name."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from napari_bonescint.errors import BonescintError, converted_errors

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class ArchiveError(BonescintError):
    """An archive did not do what it was asked for; the sentence gives the reason and the remedy."""


class Unreachable(ArchiveError):
    """There is no connection, or it was cut off; another try may succeed."""


class NotPossible(ArchiveError):
    """An archive of this kind cannot do it, such as being searched."""


def safely(work: Callable[[], T]) -> Callable[[], T]:
    """The same work, in which whatever a library raises is an `ArchiveError`, so that a window always hears its end."""

    def unexpected(error: Exception) -> BonescintError:
        return ArchiveError(f"The archive could not be used ({type(error).__name__}); try again, or report this.")

    def guarded() -> T:
        with converted_errors(unexpected):
            return work()

    return guarded
