"""Numbered records in a folder, such as the revisions of a case: never replaced, each complete or absent.

Record 7 is ``0007.json``, facts with a checksum, and other files such as ``0007.tif``. It is written in three steps:

1. All files get temporary names in the same folder and are forced to the disk (fsync). A full disk fails here.
2. An empty ``0007.tif`` is created, which fails if the file exists (O_CREAT with O_EXCL; CREATE_NEW on Windows). This
   is the lock: of two writers, one gets 7 and the other 8. If a process dies now, its number is never used.
3. The files are renamed to their places, ``0007.json`` last. The record exists from then on.

Exclusive creation and renaming within a folder must be atomic. They are on local file systems and on file servers: NFS
from version 3 on (RFC 1813, 3.3.8: EXCLUSIVE) and SMB (the server decides CREATE_NEW). There are no advisory locks,
because many NFS and SMB mounts lack them, and because they can remain when a client dies.

Limits of network folders: other computers may see a new record late (NFS caches folders for up to a minute, SMB for
about ten seconds). If the connection breaks during a rename, saving may report a failure although the record exists,
never the opposite. After a power cut of the server, fsync is as good as the server's. Synchronised folders (Dropbox,
OneDrive, Syncthing) have no central lock: two computers can take the same number, so only one may write at a time.
"""

from __future__ import annotations

import os
import re
from contextlib import ExitStack, suppress
from dataclasses import asdict
from itertools import count
from typing import TYPE_CHECKING, TypeVar

from napari_bonescint.corrections.errors import reachable
from napari_bonescint.corrections.store.files.checksummed_json import known_facts, read_sealed, seal
from napari_bonescint.files.atomic import staged, sync_folder, writing
from napari_bonescint.files.facts import build

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from _typeshed import DataclassInstance

    from napari_bonescint.corrections.store.files.checksummed_json import Facts

T = TypeVar("T")

FACTS = ".json"
_NUMBERED = re.compile(r"(?P<number>\d{4,})(?P<part>\..+)")


def append(folder: Path, parts: Mapping[str, bytes], facts: Facts) -> int:
    """Add a record.

    Parameters
    ----------
    folder : Path
        Folder of the records.
    parts : mapping of str to bytes
        Content of each file, by the end of its name after the number: ``.tif``. The first file takes the number.
    facts : dict
        Content of the JSON file.

    Returns
    -------
    int
        The number of the record, greater than all earlier ones.

    Raises
    ------
    CannotWrite
        If the folder is missing, full or not writable; no record is added then.
    """
    with writing(folder):
        with ExitStack() as stack:
            moves = [(suffix, stack.enter_context(staged(folder, data))) for suffix, data in parts.items()]
            sealed = stack.enter_context(staged(folder, seal(facts)))
            number = _take_number(folder, next(iter(parts)))
            for suffix, temporary in moves:
                temporary.replace(part_of(folder, number, suffix))
            # The facts must not reach the disk before the other files.
            sync_folder(folder)
            sealed.replace(part_of(folder, number, FACTS))
        # The index uses the folder's time, which FAT file systems do not update.
        with suppress(OSError):
            os.utime(folder)
        sync_folder(folder)
    return number


def facts_of(record: DataclassInstance, **facts: Facts) -> Facts:
    """The content of a record's JSON file, without its entry ``number``, which is in the file's name.

    `facts` are entries that are written in another form.
    """
    return {name: fact for name, fact in {**asdict(record), **facts}.items() if name != "number"}


def read_facts(cls: type[T], folder: Path, number: int, claim: str) -> T:
    """Read the JSON file of a record as an object of a dataclass that has the entry ``number``.

    Parameters
    ----------
    cls : type
        The dataclass.
    folder : Path
        Folder of the records.
    number : int
        Number of the record.
    claim : str
        What is wrong with a foreign file, such as ``is no revision``.

    Raises
    ------
    Damaged
        If the file is missing or damaged, or its facts are none of this class.
    StoreError
        If it cannot be reached.
    """
    path = part_of(folder, number, FACTS)
    facts = read_sealed(path)
    with known_facts(path, claim):
        return build(cls, facts, number=number)


def numbers(folder: Path) -> list[int]:
    """Numbers of the records in a folder, in order; raises `StoreError` if the folder cannot be read."""
    with reachable(folder):
        return sorted(number for number, part in _files(folder) if part == FACTS)


def part_of(folder: Path, number: int, suffix: str) -> Path:
    """A file of a record."""
    return folder / f"{number:04d}{suffix}"


def abandoned(folder: Path) -> list[Path]:
    """Files of interrupted writes; raises `StoreError` if the folder cannot be read."""
    with reachable(folder):
        files = _files(folder)
    complete = {number for number, part in files if part == FACTS}
    return [part_of(folder, number, part) for number, part in sorted(files) if number not in complete]


def _take_number(folder: Path, suffix: str) -> int:
    """Create an empty file with the first free number; no other writer can get the same number."""
    first = 1 + max((number for number, _ in _files(folder)), default=0)
    for number in count(first):
        try:
            os.close(os.open(part_of(folder, number, suffix), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        except FileExistsError:
            continue
        return number
    raise AssertionError("numbers do not end")


def _files(folder: Path) -> list[tuple[int, str]]:
    """Number and suffix of each file that belongs to a record, complete or not."""
    found = [_NUMBERED.fullmatch(name) for name in os.listdir(folder)]  # noqa: PTH208 - a Path for each is slow
    return [(int(match["number"]), match["part"]) for match in found if match]
