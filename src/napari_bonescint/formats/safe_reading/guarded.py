"""The one place in which whatever a reader, a decoder or a library raises becomes one sentence for that file."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

from napari_bonescint.errors import raised_as
from napari_bonescint.formats.safe_reading.refusal import Refusal
from napari_bonescint.formats.safe_reading.silence import quiet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_Reader = TypeVar("_Reader", bound="Callable[..., object]")


@contextmanager
def refusing(path: Path) -> Iterator[None]:
    """Turn all that goes wrong within into a `Refusal` of a file, and keep to ourselves what libraries warn of.

    A `BonescintError` passes unchanged: it is a sentence already. The messages of libraries are left out of the
    sentence, since they may quote what identifies a patient.

    Parameters
    ----------
    path : Path
        The file that is read.

    Raises
    ------
    Refusal
        Whatever was raised.
    """
    with raised_as(partial(_refusal, path)), quiet():
        yield


def _refusal(path: Path, error: Exception) -> Refusal:
    if isinstance(error, MemoryError):
        return Refusal(path, "The file needs more memory than there is; close other programs or export it again.")
    if isinstance(error, RecursionError):
        return Refusal(path, "The file is nested too deeply to be read, so it is damaged; export it again.")
    kind = type(error).__name__
    return Refusal(
        path, f"The file is damaged, or written in a way that cannot be read ({kind}); copy or export it again."
    )


def reader(read: _Reader) -> _Reader:
    """Make a function whose first argument is a file raise nothing but a `BonescintError`, by `refusing`."""

    @wraps(read)
    def guarded(path: Path, *arguments: Any, **keywords: Any) -> Any:
        with refusing(path):
            return read(path, *arguments, **keywords)

    return cast("_Reader", guarded)
