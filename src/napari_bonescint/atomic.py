"""Writing a file, or a folder of files, whole or not at all."""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from napari_bonescint.errors import BonescintError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


UNFINISHED_FOLDER = ".bonescint-part-"
"""With this begins the name of a folder that is not whole yet, or never will be if its process was killed."""


class CannotWrite(BonescintError):
    """A file or folder could not be written; what was there before is still there."""


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an error of the system, raised while `path` is written, into `CannotWrite`."""
    try:
        yield
    except OSError as error:
        raise CannotWrite(f"{path}: could not be written ({error.strerror or error}).") from error


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it, unless it exists; raises `CannotWrite`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotWrite(f"{folder}: cannot be made ({error.strerror or error}).") from error


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
    with writing(path):
        with staged(path.parent, data) as temporary:
            temporary.replace(path)
        sync_folder(path.parent)


def write_folder_atomically(folder: Path, files: Mapping[str, bytes]) -> None:
    """Make a folder with files in it, so that it is there with all of them or not at all.

    Parameters
    ----------
    folder : Path
        Must be empty or not exist; folders above it are made.
    files : mapping of str to bytes
        Contents by name.

    Raises
    ------
    CannotWrite
        If there is something in the folder, or the disk is full or not writable.
    """
    with writing(folder):
        require_empty(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        with staged_folder(folder.parent, files) as fresh:
            # Windows does not rename onto a folder, not even onto an empty one.
            with suppress(FileNotFoundError):
                folder.rmdir()
            fresh.rename(folder)
        sync_folder(folder.parent)


def require_empty(folder: Path) -> None:
    """Check that a folder is empty or missing, before long work whose result is to go there.

    Raises
    ------
    CannotWrite
        If there is something in the folder, or it cannot be looked into.
    """
    try:
        taken = folder.exists() and any(folder.iterdir())
    except OSError as error:
        raise CannotWrite(f"{folder}: cannot be looked into ({error.strerror or error}).") from error
    if taken:
        raise CannotWrite(f"{folder}: is not empty; choose an empty or a new folder.")


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
        _write_to_disk(temporary, data)
        yield temporary
    finally:
        # An error that is being raised matters more than one about the temporary file.
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextmanager
def staged_folder(folder: Path, files: Mapping[str, bytes]) -> Iterator[Path]:
    """A temporary folder in `folder` that holds files on the disk, to be moved to its place.

    Parameters
    ----------
    folder : Path
        Where the folder is to go.
    files : mapping of str to bytes
        Contents by name.

    Yields
    ------
    Path
        The folder. It is removed at the end, unless it was moved.
    """
    with TemporaryDirectory(prefix=UNFINISHED_FOLDER, dir=folder, ignore_cleanup_errors=True) as name:
        # One folder deeper, since the temporary one is closed to everyone else.
        fresh = Path(name) / "whole"
        fresh.mkdir()
        for file, data in files.items():
            _write_to_disk(fresh / file, data)
        sync_folder(fresh)
        yield fresh


def _write_to_disk(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


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
