"""Writing a file whole or not at all."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

from napari_bonescint.errors import BonescintError

if TYPE_CHECKING:
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
    # The same folder, since only a rename within one file system is atomic; a short name of its own, since the
    # target's name may already be as long as the file system allows.
    temporary = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        try:
            with temporary.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        _sync_folder(path.parent)
    except OSError as error:
        raise CannotWrite(f"{path}: could not be written ({error.strerror or error}).") from error


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable, where the system can: Windows and some network folders cannot."""
    if os.name == "nt":
        return
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
