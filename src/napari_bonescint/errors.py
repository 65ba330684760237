"""Errors whose text is one sentence for the user."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from napari_bonescint.text.plain_output import sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class BonescintError(Exception):
    """An error that a user can understand and fix; `str(error)` is a sentence in one line of plain text."""

    def __str__(self) -> str:
        return sentence(super().__str__())


class Cancelled(BonescintError):
    """The user cancelled; no result was kept."""


@contextmanager
def converted_errors(convert: Callable[[Exception], BonescintError]) -> Iterator[None]:
    """Convert any exception within to the `BonescintError` that `convert` makes; a `BonescintError` passes unchanged.

    Scans and masks use it by `formats.safe_reading.guarded`, and cards, recipes, results and label stores by
    `facts.one_sentence`.
    """
    try:
        yield
    except BonescintError:
        raise
    except Exception as error:  # libraries may raise any exception
        raise convert(error) from error
