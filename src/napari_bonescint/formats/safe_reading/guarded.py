"""Convert every exception of readers, decoders and libraries into a `Refusal`: one sentence about the file."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

from napari_bonescint.errors import converted_errors
from napari_bonescint.formats.safe_reading.refusal import Refusal
from napari_bonescint.formats.safe_reading.silence import quiet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_Reader = TypeVar("_Reader", bound="Callable[..., object]")


@contextmanager
def refusing(path: Path) -> Iterator[None]:
    """Convert every exception within into a `Refusal` of a file, and silence the libraries.

    A `BonescintError` passes unchanged, since its text is a sentence already. The messages of libraries are left out:
    they may quote data that identifies a patient.
    """
    with converted_errors(partial(_refusal, path)), quiet():
        yield


def _refusal(path: Path, error: Exception) -> Refusal:
    if isinstance(error, MemoryError):
        return Refusal(path, "The file needs more memory than there is; close other programs or export it again.")
    if isinstance(error, RecursionError):
        return Refusal(path, "The file is nested too deeply to be read, so it is damaged; export it again.")
    cause = f"damaged, or written in a way that cannot be read ({type(error).__name__})"
    return Refusal(path, f"The file is {cause}; copy or export it again.")


def reader(read: _Reader) -> _Reader:
    """Decorate a reader, whose first argument is the file, so that it raises only `BonescintError`; see `refusing`."""

    @wraps(read)
    def guarded(path: Path, *arguments: Any, **keywords: Any) -> Any:
        with refusing(path):
            return read(path, *arguments, **keywords)

    return cast("_Reader", guarded)
