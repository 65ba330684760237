"""Take objects that archives send, within limits, and write each as a file: whole or not at all, never over another."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, replace
from pathlib import Path

from napari_bonescint.archive.errors import ArchiveError
from napari_bonescint.archive.records import Received, is_uid
from napari_bonescint.files.atomic import make_folder, staged, sync_folder, writing
from napari_bonescint.formats.dicom.header import parse_whole
from napari_bonescint.formats.safe_reading.budget import MOST_BYTES
from napari_bonescint.formats.safe_reading.guarded import refusing

MOST_OBJECT_BYTES = MOST_BYTES
"""Bytes of one object, which the readers of scans allow, too."""


@dataclass(frozen=True)
class Limits:
    """Limits of what is taken in one inbox."""

    objects: int = 2000
    bytes: int = 4 * 2**30


class TooMuch(ArchiveError):
    """More came than an inbox takes."""


class Unwanted(ArchiveError):
    """An object is no valid DICOM file, or another one than was asked for."""


class Inbox:
    """A folder that takes what archives send; a file lies in the folder of its study, named by its identifier.

    Parameters
    ----------
    folder : Path
        Made when the first object comes.
    source : str
        Name of the archive, for sentences.
    limits : Limits, optional
    """

    def __init__(self, folder: Path, source: str, limits: Limits | None = None) -> None:
        self.folder = folder
        self.source = source
        self.limits = limits or Limits()
        self.objects = self.bytes = 0
        self._lock = threading.Lock()

    def take(self, content: bytes, *, study: str = "", series: str = "", instance: str = "") -> Received:
        """Write one object as a file, on the disk before this returns.

        Parameters
        ----------
        content : bytes
            A DICOM file.
        study, series, instance : str
            Identifiers that the object must have; empty for any.

        Raises
        ------
        TooMuch, Unwanted, CannotWrite
        """
        with self._lock:
            self.require_room(len(content))
            self.objects += 1
            self.bytes += len(content)
        uids = read_identifiers(content, self.source)
        received = Received(self.folder / uids[0] / f"{uids[2]}.dcm", *uids)
        wanted = zip(
            (study, series, instance), (received.study_uid, received.series_uid, received.instance_uid), strict=True
        )
        if any(asked and asked != came for asked, came in wanted):
            raise Unwanted(f"{self.source}: sent another image than the one asked for, which was not kept.")
        return self._written(received, content)

    def require_room(self, size: int) -> None:
        """Raise `TooMuch` if an object of this size cannot be taken."""
        if size > MOST_OBJECT_BYTES:
            raise TooMuch(
                f"{self.source}: sent an object of more than {MOST_OBJECT_BYTES // 2**20} MB, so it is no planar scan."
            )
        if self.objects >= self.limits.objects:
            raise TooMuch(f"{self.source}: sent more than {self.limits.objects} objects; get fewer at once.")
        if self.bytes + size > self.limits.bytes:
            raise TooMuch(f"{self.source}: sent more than {self.limits.bytes // 2**20} MB; get fewer objects at once.")

    def _written(self, received: Received, content: bytes) -> Received:
        path = received.path
        make_folder(path.parent)
        with writing(path), staged(path.parent, content) as temporary:
            try:
                # A link fails if the name is taken, unlike a rename.
                os.link(temporary, path)
            except FileExistsError:
                return self._found_there(received, content)
            except OSError:  # a file system without links
                if path.exists():
                    return self._found_there(received, content)
                temporary.rename(path)
        sync_folder(path.parent)
        return received

    def _found_there(self, received: Received, content: bytes) -> Received:
        if received.path.read_bytes() != content:
            raise Unwanted(
                f"{self.source}: sent an object whose identifier another file in {self.folder} has, which was kept."
            )
        return replace(received, is_new=False)


def read_identifiers(content: bytes, source: str) -> tuple[str, str, str, str]:
    """Study, series, instance and class of a DICOM file that an archive sent, by the readers of files.

    Raises
    ------
    Unwanted, Refusal
        If it is no DICOM file, or has no valid identifiers.
    """
    # The parser and its limits are those for files, whatever the sender says about the object.
    name = Path(source)
    with refusing(name):
        header = parse_whole(name, content)
    uids = (
        header.text("StudyInstanceUID"),
        header.text("SeriesInstanceUID"),
        header.text("SOPInstanceUID"),
        header.text("SOPClassUID"),
    )
    if not all(map(is_uid, uids)):
        raise Unwanted(f"{source}: sent an object with an invalid identifier, which was not kept.")
    return uids
