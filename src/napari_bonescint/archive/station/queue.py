"""The scans of an unattended station on the disk: each is in one place, and moves by a rename.

A scan that a sender was told is taken lies in `waiting`, whole. It leaves it when its results are where they belong and
its mark is in `done`; if the station is killed before, it is worked on again, and gives results with the same
identifiers. Names are made of hashes, so no path comes from a sender.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from napari_bonescint.archive.errors import ArchiveError
from napari_bonescint.archive.receiving.inbox import MOST_OBJECT_BYTES, TooMuch, Unwanted, read_identifiers
from napari_bonescint.archive.records import Received
from napari_bonescint.files.atomic import make_folder, staged, sync_folder, write_bytes_atomically, writing
from napari_bonescint.files.owner_only import close_to_others

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FREE_BYTES = 256 * 2**20
"""Room that is left on the disk for results."""


class StationQueue:
    """The folder of a station.

    Parameters
    ----------
    folder : Path
        Made if it does not exist, and closed to other users.
    source : str
        Name of the archive that sends, for sentences.
    """

    def __init__(self, folder: Path, source: str) -> None:
        self.folder = folder
        self._source = source
        self._waiting, self._done, self._failed = (folder / name for name in ("waiting", "done", "failed"))
        self.work = folder / "work"
        for each in (folder, self._waiting, self._done, self._failed, self.work):
            make_folder(each)
        close_to_others(folder)
        # Parts of results and of scans that a killed station left.
        for left in (*self.work.iterdir(), *self._waiting.glob("*/.*.part"), *self._done.glob(".*.part")):
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)

    def take(self, content: bytes) -> Received:
        """Put one object among those that wait, on the disk before this returns; one that is done is not taken again.

        Raises
        ------
        TooMuch, Unwanted, Refusal, CannotWrite
        """
        if len(content) > MOST_OBJECT_BYTES:
            most = MOST_OBJECT_BYTES // 2**20
            raise TooMuch(f"{self._source}: sent an object of more than {most} MB, so it is no planar scan.")
        uids = read_identifiers(content, self._source)
        path = self._waiting / _key(uids[0]) / f"{_key(uids[2])}.dcm"
        if self.is_done(path.stem):
            return Received(path, *uids, is_new=False)
        with writing(path):
            if path.exists() and path.read_bytes() != content:
                raise Unwanted(f"{self._source}: sent an object whose identifier another one has, which was kept.")
            if shutil.disk_usage(self.folder).free < len(content) + _FREE_BYTES:
                raise TooMuch(f"{self.folder}: has no room for further scans; make room on the disk.")
            path.parent.mkdir(exist_ok=True)
            with staged(path.parent, content) as temporary:
                temporary.replace(path)
            sync_folder(path.parent)
            sync_folder(self._waiting)
        return Received(path, *uids)

    def studies(self, settle_seconds: float) -> Iterator[Path]:
        """Folders of studies of which nothing came for so long, oldest first."""
        now = time.time()
        ready: list[tuple[float, Path]] = []
        for study in self._waiting.iterdir():
            newest = 0.0
            for path in study.glob("*.dcm"):
                if self.is_done(path.stem):  # it was done and came again, or the station was killed just then
                    path.unlink(missing_ok=True)
                    continue
                newest = max(newest, path.stat().st_mtime)
            # A clock that was put back must not keep a study for ever.
            if newest and (now - newest >= settle_seconds or newest > now + 60):
                ready.append((newest, study))
        yield from (study for _, study in sorted(ready))

    def path(self, study: Path, key: str) -> Path:
        """The file of a scan that waits."""
        return study / f"{key}.dcm"

    def is_done(self, key: str) -> bool:
        """True if the scan with this key needs no more work."""
        return (self._done / key).exists()

    def finish(self, key: str, outcome: str) -> None:
        """Mark a scan as done and delete its file; `outcome` is a word without identity."""
        write_bytes_atomically(self._done / key, outcome.encode())
        for path in self._waiting.glob(f"*/{key}.dcm"):
            path.unlink(missing_ok=True)
            with suppress(OSError):
                path.parent.rmdir()

    def set_aside(self, path: Path, reason: str) -> None:
        """Keep a scan that cannot be worked on in `failed`, with the reason in a text file beside it."""
        # The reason comes first: if the disk takes none, the scan still waits.
        write_bytes_atomically(self._failed / f"{path.stem}.txt", f"{reason}\n".encode())
        with writing(self._failed):
            path.replace(self._failed / path.name)
        write_bytes_atomically(self._done / path.stem, b"failed")
        with suppress(OSError):
            path.parent.rmdir()

    def counts(self) -> dict[str, int]:
        """Number of scans that wait, are done and failed."""
        failed = len(list(self._failed.glob("*.dcm")))
        return {
            "waiting": len(list(self._waiting.glob("*/*.dcm"))),
            "done": sum(1 for each in self._done.iterdir() if not each.name.startswith(".")) - failed,
            "failed": failed,
        }


class QueueInUse(ArchiveError):
    """Another station works in the folder."""


def _key(uid: str) -> str:
    return hashlib.sha256(uid.encode()).hexdigest()[:32]
