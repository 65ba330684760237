"""What can be wrong with a label store."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from napari_bonescint.errors import BonescintError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


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
        raise StoreError(
            f"{path}: cannot be reached ({error.strerror or error}); is the folder still there, and open to you?"
        ) from error
