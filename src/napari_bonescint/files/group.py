"""Files of one result, which are replaced together: after any interruption all are the old ones, or all the new ones.

They are written into a temporary folder. Renaming this folder makes the result valid. Then the files are moved to their
final paths, the main file last, by the process that wrote them or, if it was killed, by the next process that reads the
result.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_bonescint.files.atomic import UNFINISHED_FOLDER, CannotWrite, staged_folder, sync_folder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class FileGroup:
    """Files in one folder whose names begin with the same stem.

    Attributes
    ----------
    folder : Path
        The folder; `replace` makes it.
    stem : str
        Beginning of all names.
    endings : tuple of str
        Ends of the names. The last one is the main file: if it exists, all have been moved to their paths.
    ready_prefix : str
        Beginning of the name of the folder that holds the files of a new valid result. Groups of other endings in the
        same folder need another one.
    """

    folder: Path
    stem: str
    endings: tuple[str, ...]
    ready_prefix: str

    def path(self, ending: str) -> Path:
        """The final path of one file."""
        return self.folder / f"{self.stem}{ending}"

    @property
    def main_path(self) -> Path:
        """The final path of the main file."""
        return self.path(self.endings[-1])

    @property
    def _ready(self) -> Path:
        """A folder with the files of a new valid result, until they are at their final paths."""
        # Short, because the stem may be as long as the file system allows.
        stem = hashlib.sha256(os.fsencode(os.path.normcase(self.stem))).hexdigest()
        return self.folder / f"{self.ready_prefix}{stem[:16]}"

    def replace(self, contents: Mapping[str, bytes]) -> None:
        """Write all files, and replace existing ones.

        Parameters
        ----------
        contents : mapping of str to bytes
            Content by ending; a file without content is deleted.

        Raises
        ------
        CannotWrite
            If the disk is full or the folder not writable.
        """
        parts = {ending: contents.get(ending, b"") for ending in self.endings}
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._replace_by(parts)
            sync_folder(self.folder)
        except OSError as error:
            raise CannotWrite(f"{self.folder}: cannot be written ({error.strerror or error}).") from error

    def put_in_place(self) -> None:
        """Move the files of a new valid result, if there is one, to their final paths, the main file last.

        Call it before the files are read; it raises `OSError`.
        """
        # A link was not made by bonescint, and must not be followed.
        if not self._ready.is_dir() or self._ready.is_symlink():
            return
        for ending in self.endings:
            fresh, place = self._ready / ending, self.path(ending)
            with suppress(FileNotFoundError):  # it has been moved already
                if fresh.stat().st_size:
                    fresh.replace(place)
                else:
                    place.unlink(missing_ok=True)
                    fresh.unlink()
        with suppress(OSError):  # other processes may do the same at this moment
            self._ready.rmdir()

    def _replace_by(self, parts: Mapping[str, bytes]) -> None:
        try:
            self._make_ready(parts)
        except OSError:
            # Another process has deleted the new files as leftovers (`clean_up`), or has just written this result, too.
            self._make_ready(parts)
        try:
            self.put_in_place()
        except OSError:
            if (self._ready / self.endings[0]).exists():  # not even the first could be moved
                shutil.rmtree(self._ready, ignore_errors=True)
            raise

    def _make_ready(self, parts: Mapping[str, bytes]) -> None:
        """Write the files of a new result to the disk, and make it valid."""
        self.put_in_place()  # files of a killed process
        with staged_folder(self.folder, parts) as whole:
            whole.rename(self._ready)


def clean_up(folder: Path) -> None:
    """Delete leftovers of killed processes in a folder of results, which need not exist.

    A process that is writing at this moment notices it and writes again.
    """
    for left in folder.glob(f"{UNFINISHED_FOLDER}*"):
        with suppress(OSError):
            if left.is_symlink() or not left.is_dir():
                left.unlink()
            else:
                # Renamed first, so no process adds a file to it that would then be its only one.
                gone = left.rename(folder / f"{UNFINISHED_FOLDER}{secrets.token_hex(8)}")
                shutil.rmtree(gone, ignore_errors=True)
