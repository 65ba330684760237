"""Results that wait to be sent: kept on the disk, closed to others, until an archive has them.

A parcel is a folder that appears whole, by a rename, before anything is sent; so each try sends the same identifiers.
"""

from __future__ import annotations

import json
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from napari_bonescint.archive.errors import ArchiveError
from napari_bonescint.archive.records import is_uid
from napari_bonescint.archive.sending.outgoing import Outgoing, as_outgoing
from napari_bonescint.files.atomic import make_folder, staged_folder, sync_folder, writing
from napari_bonescint.files.facts import build, one_sentence, read_json
from napari_bonescint.files.names import is_file_name
from napari_bonescint.files.owner_only import close_to_others
from napari_bonescint.formats.safe_reading.source_file import read_whole

if TYPE_CHECKING:
    from collections.abc import Sequence

FOLDER_VARIABLE = "BONESCINT_OUTBOX"
"""Environment variable with another folder for results that wait to be sent."""

_FACTS = "parcel.json"


@dataclass(frozen=True)
class _Facts:
    archive: str
    files: list[str]
    sources: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Parcel:
    """Results of one scan that wait to be sent together.

    Attributes
    ----------
    folder : Path
    archive : str
        Name of the archive.
    files : tuple of str
    sources : tuple of str
        Names of what the results were made of.
    """

    folder: Path
    archive: str
    files: tuple[str, ...]
    sources: tuple[str, ...] = ()

    def objects(self) -> tuple[Outgoing, ...]:
        """The results; a damaged one is a `Refusal`."""
        return tuple(
            as_outgoing(read_whole(self.folder / name), self.folder / name)
            for name in self.files
            if (self.folder / name).exists()
        )

    def remove(self, instance_uid: str) -> None:
        """Remove one result that the archive has; the parcel ends with its last one."""
        with suppress(OSError):
            (self.folder / f"{instance_uid}.dcm").unlink(missing_ok=True)
        if not any((self.folder / name).exists() for name in self.files):
            self.discard()

    def discard(self) -> None:
        """Delete the parcel, sent or not."""
        shutil.rmtree(self.folder, ignore_errors=True)


class Outbox:
    """The folder of parcels.

    Parameters
    ----------
    folder : Path, optional
        By default the user's own.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or _own_folder()

    def put(self, archive: str, objects: Sequence[Outgoing], name: str, sources: Sequence[str] = ()) -> Parcel:
        """Keep results; an existing parcel of this name is returned as it is.

        Raises
        ------
        CannotWrite
            If the disk is full or the folder not writable.
        """
        target = self.folder / name
        if target.exists():
            return self._read(target)
        make_folder(self.folder)
        close_to_others(self.folder)
        files = {f"{each.instance_uid}.dcm": each.content for each in objects}
        facts = json.dumps({"archive": archive, "files": list(files), "sources": list(sources)}).encode()
        with writing(target), staged_folder(self.folder, {**files, _FACTS: facts}) as fresh:
            close_to_others(fresh)
            try:
                fresh.rename(target)
            except OSError:
                if not target.exists():  # otherwise another process kept the same
                    raise
        sync_folder(self.folder)
        return self._read(target)

    def parcels(self, archive: str = "") -> tuple[Parcel, ...]:
        """The parcels for an archive, or for all; those that are damaged are left out."""
        if not self.folder.is_dir():
            return ()
        found = []
        for folder in sorted(self.folder.iterdir()):
            if is_file_name(folder.name):
                with suppress(ArchiveError):
                    parcel = self._read(folder)
                    if archive in ("", parcel.archive):
                        found.append(parcel)
        return tuple(found)

    def _read(self, folder: Path) -> Parcel:
        with one_sentence(lambda reason: ArchiveError(f"{folder}: is no result that waits to be sent ({reason}).")):
            facts = build(_Facts, read_json(folder / _FACTS))
            if not all(is_uid(name.removesuffix(".dcm")) for name in facts.files):
                raise ValueError("its files have other names")
        return Parcel(folder, facts.archive, tuple(facts.files), tuple(facts.sources))


def _own_folder() -> Path:
    chosen = os.environ.get(FOLDER_VARIABLE)
    return Path(chosen) if chosen else Path(platformdirs.user_data_dir("napari-bonescint", appauthor=False)) / "outbox"
