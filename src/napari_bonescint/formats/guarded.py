"""The one place in which whatever a reader, a decoder or a library raises becomes one sentence for that file."""

from __future__ import annotations

from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

from napari_bonescint.errors import BonescintError
from napari_bonescint.formats.refusal import Refusal
from napari_bonescint.formats.source_file import quiet

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
    try:
        with quiet():
            yield
    except BonescintError:
        raise
    except MemoryError as error:
        raise Refusal(path, "The file needs more memory than there is; close other programs or export it again.") from (
            error
        )
    except RecursionError as error:
        raise Refusal(path, "The file is nested too deeply to be read, so it is damaged; export it again.") from error
    except Exception as error:
        raise Refusal(
            path,
            f"The file is damaged, or written in a way that cannot be read ({type(error).__name__}); "
            "copy or export it again.",
        ) from error


def reader(read: _Reader) -> _Reader:
    """Make a function whose first argument is a file raise nothing but a `BonescintError`, by `refusing`."""

    @wraps(read)
    def guarded(path: Path, *arguments: Any, **keywords: Any) -> Any:
        with refusing(path):
            return read(path, *arguments, **keywords)

    return cast("_Reader", guarded)
