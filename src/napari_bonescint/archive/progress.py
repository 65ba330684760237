"""How far a transfer is, and how it is told or cancelled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a transfer is: instances done, their number (None if unknown), and bytes."""

    done: int
    total: int | None
    bytes: int


OnProgress = Callable[[Progress], object]
IsCancelled = Callable[[], bool]


def never() -> bool:
    """False: nobody cancels."""
    return False


def ignore(_progress: Progress) -> None:
    """Do nothing with the progress."""
