"""Numbered records in a folder, such as the revisions of a case: added, never replaced, complete or absent.

Record 7 is ``0007.json``, sealed facts, and the files that they speak of, such as ``0007.tif``. It comes about so:

1. Everything is written to temporary files in the same folder and forced to the disk (fsync). A full disk shows here.
2. The number is taken by creating ``0007.tif``, still empty, so that creation fails if the file exists (O_CREAT with
   O_EXCL; CREATE_NEW on Windows). This is the lock: of writers at once one gets 7, the next 8. Nothing can stay locked,
   because a number that was taken by a process that then died is merely never used.
3. The files are renamed to their places, and ``0007.json`` last. Only then is there a record.

What this rests on: creation that fails if the file exists, and renaming within a folder, are each done in one step by
whoever keeps the folder. Local file systems do so, and file servers for all their clients: NFS from version 3 on (RFC
1813, 3.3.8: EXCLUSIVE), SMB (the server decides CREATE_NEW). No advisory locks are used: those are what NFS and SMB
mounts often leave out, and what stays behind when a client dies.

What it does not give on network folders: other machines may see a new record some seconds late (NFS caches folders for
up to a minute, SMB for about ten seconds); if the connection breaks at the moment of a rename, the writer may be told
that saving failed though the record is there, never the other way round; and after a power cut of the server, fsync is
only as good as the server's own. Folders that are synchronised between computers (Dropbox, OneDrive, Syncthing) decide
nothing in one place: two computers can take the same number there, so a store must not be written from two at once.
"""

from __future__ import annotations

import os
import re
from contextlib import ExitStack, suppress
from itertools import count
from typing import TYPE_CHECKING

from napari_bonescint.atomic import CannotWrite, staged, sync_folder
from napari_bonescint.corrections.errors import reachable
from napari_bonescint.corrections.store.checksummed_json import seal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from napari_bonescint.corrections.store.checksummed_json import Facts

FACTS = ".json"
_NUMBERED = re.compile(r"(?P<number>\d{4,})(?P<part>\..+)")


def append(folder: Path, parts: Mapping[str, bytes], facts: Facts) -> int:
    """Add a record.

    Parameters
    ----------
    folder : Path
        Where the records are.
    parts : mapping of str to bytes
        Contents of the files that the facts speak of, by what follows the number in their names: ``.tif``. The first
        one takes the number.
    facts : dict
        What the JSON file says.

    Returns
    -------
    int
        The number of the record, greater than all that were there.

    Raises
    ------
    CannotWrite
        If the folder is missing, full or not writable; there is no new record then.
    """
    try:
        with ExitStack() as stack:
            moves = [(suffix, stack.enter_context(staged(folder, data))) for suffix, data in parts.items()]
            sealed = stack.enter_context(staged(folder, seal(facts)))
            number = _take_number(folder, next(iter(parts)))
            for suffix, temporary in moves:
                temporary.replace(part_of(folder, number, suffix))
            # The record must not reach the disk before what it speaks of.
            sync_folder(folder)
            sealed.replace(part_of(folder, number, FACTS))
        # The index goes by the folder's time, which FAT file systems leave as it was.
        with suppress(OSError):
            os.utime(folder)
        sync_folder(folder)
    except OSError as error:
        raise CannotWrite(f"{folder}: could not be written ({error.strerror or error}).") from error
    return number


def numbers(folder: Path) -> list[int]:
    """Numbers of the records in a folder, in order.

    Raises
    ------
    StoreError
        If the folder cannot be read.
    """
    with reachable(folder):
        return sorted(number for number, part in _files(folder) if part == FACTS)


def part_of(folder: Path, number: int, suffix: str) -> Path:
    """A file of a record."""
    return folder / f"{number:04d}{suffix}"


def abandoned(folder: Path) -> list[Path]:
    """Files whose number has no record, because the process that took it was ended.

    Raises
    ------
    StoreError
        If the folder cannot be read.
    """
    with reachable(folder):
        files = _files(folder)
    complete = {number for number, part in files if part == FACTS}
    return [part_of(folder, number, part) for number, part in sorted(files) if number not in complete]


def _take_number(folder: Path, suffix: str) -> int:
    """Create an empty file with the first free number; that it did not exist is certain even with other writers."""
    first = 1 + max((number for number, _ in _files(folder)), default=0)
    for number in count(first):
        try:
            os.close(os.open(part_of(folder, number, suffix), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        except FileExistsError:
            continue
        return number
    raise AssertionError("numbers do not end")


def _files(folder: Path) -> list[tuple[int, str]]:
    """Number and part of each file that belongs to a record, complete or not."""
    found = [_NUMBERED.fullmatch(name) for name in os.listdir(folder)]  # noqa: PTH208 - a path for each is slow
    return [(int(match["number"]), match["part"]) for match in found if match]
