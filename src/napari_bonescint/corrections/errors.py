"""Errors of a label store."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from napari_bonescint.errors import BonescintError

if TYPE_CHECKING:
    from collections.abc import Iterator


class StoreError(BonescintError):
    """A label store cannot do what was asked; nothing in it was changed."""


class Damaged(StoreError):
    """A file of a store is missing, incomplete or changed; its content is lost."""


class AddedOtherwise(StoreError):
    """The scan is in the store already with other views, another spacing or another orientation."""


@contextmanager
def reachable(path: Path) -> Iterator[None]:
    """Turn an error of the system about a file or folder of a store into a `StoreError`."""
    try:
        yield
    except OSError as error:
        raise unreachable(path, error) from error


def unreachable(path: Path | str, error: OSError) -> StoreError:
    """The error for an inaccessible file or folder: `Damaged` if it is of one case or draft and the store is there."""
    if _is_one_of_many(Path(path)):
        if isinstance(error, FileNotFoundError):
            return Damaged(f"{path}: is missing.")
        return Damaged(f"{path}: cannot be read ({error.strerror or error}).")
    return StoreError(
        f"{path}: cannot be reached ({error.strerror or error}); is the folder still there, and open to you?"
    )


def _is_one_of_many(path: Path) -> bool:
    """Whether a path lies in the folder of cases, drafts or patients of a store, and this folder can be reached."""
    for folder in path.parents:
        if folder.name in ("cases", "drafts", "patients"):
            try:
                return (folder.parent / "store.json").is_file() and folder.is_dir()
            except OSError:
                return False
    return False


def read_bytes(path: Path) -> bytes:
    """Read a file of a store; raises `Damaged` if it is missing, `StoreError` if it cannot be reached."""
    with reachable(path):
        try:
            return path.read_bytes()
        except FileNotFoundError as error:
            raise Damaged(f"{path}: is missing.") from error
