"""What can be wrong with a label store, found out while reaching for its files."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from napari_bonescint.errors import BonescintError

if TYPE_CHECKING:
    from collections.abc import Iterator


class StoreError(BonescintError):
    """A label store that cannot do what it was asked to; nothing in it was changed."""


class Damaged(StoreError):
    """A file of a store that is missing, cut off or changed; what it held cannot be had from it."""


class AddedOtherwise(StoreError):
    """A scan that is in the store already, with other views, another spacing or another side mirrored."""


@contextmanager
def reachable(path: Path) -> Iterator[None]:
    """Turn what the system says about a file or folder of a store into a `StoreError`."""
    try:
        yield
    except OSError as error:
        raise unreachable(path, error) from error


def unreachable(path: Path | str, error: OSError) -> StoreError:
    """What to say about a file or folder of a store that the system does not give access to.

    Returns
    -------
    StoreError
        `Damaged` if it belongs to one case or draft of a store that is there: the others can be had.
    """
    if _is_one_of_many(Path(path)):
        if isinstance(error, FileNotFoundError):
            return Damaged(f"{path}: is missing.")
        return Damaged(f"{path}: cannot be read ({error.strerror or error}).")
    return StoreError(
        f"{path}: cannot be reached ({error.strerror or error}); is the folder still there, and open to you?"
    )


def _is_one_of_many(path: Path) -> bool:
    """Whether a path lies in a folder of a store that holds many of a kind, and that folder can be reached."""
    for folder in path.parents:
        if folder.name in ("cases", "drafts", "patients"):
            try:
                return (folder.parent / "store.json").is_file() and folder.is_dir()
            except OSError:
                return False
    return False


def read_bytes(path: Path) -> bytes:
    """All of a file of a store.

    Raises
    ------
    Damaged
        If it is missing.
    StoreError
        If it cannot be reached.
    """
    with reachable(path):
        try:
            return path.read_bytes()
        except FileNotFoundError as error:
            raise Damaged(f"{path}: is missing.") from error
