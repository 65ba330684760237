"""Write a file, or a folder of files, whole or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from napari_bonescint.errors import BonescintError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


UNFINISHED_FOLDER = ".bonescint-part-"
"""Beginning of the name of an unfinished folder; it remains if its process is killed."""


class CannotWrite(BonescintError):
    """A file or folder could not be written; its previous content is unchanged."""


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
    """Write `data` to `path` so that a reader, even after a power cut, finds the old or the new file, never a part.

    The folder must exist; if it is missing, full or not writable, `CannotWrite` is raised.
    """
    with writing(path):
        with staged(path.parent, data) as temporary:
            temporary.replace(path)
        sync_folder(path.parent)


def write_folder_atomically(folder: Path, files: Mapping[str, bytes]) -> None:
    """Make a folder that contains either all files (contents by name) or does not exist.

    The folder must be empty or not exist; missing parent folders are made. If it is not empty, or the disk is full or
    not writable, `CannotWrite` is raised.
    """
    with writing(folder):
        require_empty(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        with staged_folder(folder.parent, files) as fresh:
            # Windows cannot rename onto an existing folder, even an empty one.
            with suppress(FileNotFoundError):
                folder.rmdir()
            fresh.rename(folder)
        sync_folder(folder.parent)


def write_files_atomically(folder: Path, files: Mapping[str, bytes]) -> list[Path]:
    """Write files (contents by name) into a folder that may hold others: all of them, or none if one cannot be written.

    Existing files of these names are replaced. If the process is killed, each file is still the old or the new one.
    Returns the paths; raises `CannotWrite`.
    """
    made: list[Path] = []
    with writing(folder), staged_folder(folder, files) as fresh:
        kept = fresh.with_name("kept")
        kept.mkdir()
        try:
            for name in files:
                path = folder / name
                if path.exists():
                    shutil.copy2(path, kept / name)
                made.append(path)
                (fresh / name).replace(path)
        except OSError:
            _restore(made, kept)
            raise
        sync_folder(folder)
    return made


def _restore(paths: Iterable[Path], kept: Path) -> None:
    """Put kept files back, and remove those that did not exist before."""
    for path in paths:
        before = kept / path.name
        # The error that is being raised matters more.
        with suppress(OSError):
            if before.exists():
                before.replace(path)
            else:
                path.unlink(missing_ok=True)


def require_empty(folder: Path) -> None:
    """Check before long work that a folder for its result is empty or missing; otherwise raise `CannotWrite`."""
    try:
        taken = folder.exists() and any(folder.iterdir())
    except OSError as error:
        raise CannotWrite(f"{folder}: the folder cannot be read ({error.strerror or error}).") from error
    if taken:
        raise CannotWrite(f"{folder}: is not empty; choose an empty or a new folder.")


@contextmanager
def staged(folder: Path, data: bytes) -> Iterator[Path]:
    """A temporary file in `folder` that holds `data` on the disk, to be renamed to its final name.

    The final name must lie in the same file system, since only such a rename is atomic. The temporary file is removed
    at the end, unless it was renamed.
    """
    # A short random name, since the final name may already have the longest length possible.
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
    """A temporary folder in `folder` that holds files (contents by name) on the disk, to be renamed to its final name.

    It is removed at the end, unless it was renamed.
    """
    with TemporaryDirectory(prefix=UNFINISHED_FOLDER, dir=folder, ignore_cleanup_errors=True) as name:
        # The temporary folder is closed to other users; a folder inside it has the usual permissions.
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
    """Make renames in a folder durable, if the system can; Windows and some network folders cannot."""
    if os.name == "nt":
        return
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
