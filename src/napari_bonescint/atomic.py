"""Writing a file whole or not at all."""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from napari_bonescint.errors import BonescintError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class CannotWrite(BonescintError):
    """A file could not be written; what was there before is still there."""


def write_bytes_atomically(path: Path, data: bytes) -> None:
    """Write `data` to `path` so that a reader, or a power cut, finds the old file or the new one, never a part.

    Parameters
    ----------
    path : Path
        Where to write; its folder must exist. A file already there is replaced.
    data : bytes
        The whole content.

    Raises
    ------
    CannotWrite
        If the folder is missing, full or not writable.
    """
    try:
        with staged(path.parent, data) as temporary:
            temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise CannotWrite(f"{path}: could not be written ({error.strerror or error}).") from error


@contextmanager
def staged(folder: Path, data: bytes) -> Iterator[Path]:
    """A temporary file in `folder` that holds `data` on the disk, to be moved to its place.

    Parameters
    ----------
    folder : Path
        Where the file is to go: only a rename within one file system is atomic.
    data : bytes
        The whole content.

    Yields
    ------
    Path
        The file. It is removed at the end, unless it was moved.
    """
    # A short name of its own, since the target's name may already be as long as the file system allows.
    temporary = folder / f".{secrets.token_hex(8)}.part"
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield temporary
    finally:
        # What went wrong is told by the error that is on its way, not by one about the temporary file.
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make renames in a folder durable, where the system can: Windows and some network folders cannot."""
    if os.name == "nt":
        return
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
