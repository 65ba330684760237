"""Errors whose text is one sentence for the person who caused them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from napari_bonescint.plain_output import sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class BonescintError(Exception):
    """Something a user can understand and act on; `str(error)` is a whole sentence, in one line that is only text."""

    def __str__(self) -> str:
        return sentence(super().__str__())


class Cancelled(BonescintError):
    """The user cancelled; nothing was kept."""


@contextmanager
def raised_as(tell: Callable[[Exception], BonescintError]) -> Iterator[None]:
    """Turn whatever is raised within into one sentence; what is one already passes unchanged.

    The one place in which this is done: for scans and masks by `formats.guarded`, for cards, recipes, results and files
    of label stores by `facts.one_sentence`.

    Parameters
    ----------
    tell : callable
        Makes the error that a user sees of the one that was raised.

    Raises
    ------
    BonescintError
        What `tell` made.
    """
    try:
        yield
    except BonescintError:
        raise
    except Exception as error:  # libraries raise whatever their parsers trip over
        raise tell(error) from error
