"""Drafts of scans that are in no label store, in the user's data folder on this computer.

A draft is found by the pixels of its scan: its name is made of the hash of each view. It holds a mask and its origin,
nothing of the patient and no path. Only the user of this computer can read the folder.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import platformdirs
from filelock import FileLock

from napari_bonescint.corrections.errors import Damaged
from napari_bonescint.corrections.store.drafts import encode_draft, read_draft
from napari_bonescint.corrections.store.files.plane_files import planes_sha256
from napari_bonescint.files.atomic import CannotWrite, make_folder, write_bytes_atomically
from napari_bonescint.files.lock import take
from napari_bonescint.files.owner_only import close_to_others

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_bonescint.corrections.store.drafts import Draft
    from napari_bonescint.corrections.store.records.revision import Origin

FOLDER_VARIABLE = "BONESCINT_DRAFTS"

_HEX_DIGITS = 16
_ENDING = ".npz"
_SECONDS_TO_WAIT = 0.2


def drafts_folder() -> Path:
    """The folder of drafts: ``drafts`` in the user's data folder, or that of BONESCINT_DRAFTS; it need not exist."""
    chosen = os.environ.get(FOLDER_VARIABLE)
    return Path(chosen) if chosen else Path(platformdirs.user_data_dir("napari-bonescint", appauthor=False)) / "drafts"


def make_drafts_folder() -> None:
    """Make the folder of drafts if it is missing, and deny access to all but its owner."""
    folder = drafts_folder()
    is_new = not folder.exists()
    make_folder(folder)
    if is_new:
        close_to_others(folder)


def view_key(counts: NDArray[np.generic]) -> str:
    """A part of the name of a draft, from the pixels (y, x) of one view."""
    return planes_sha256(counts[np.newaxis])[:_HEX_DIGITS]


def has_draft_of_view(counts: NDArray[np.generic]) -> bool:
    """Whether there is a draft of a scan with this view, of shape (y, x); false if the folder cannot be read."""
    try:
        names = [path.name for path in drafts_folder().glob(f"*{_ENDING}")]
        return bool(names) and any(view_key(counts) in name for name in names)
    except OSError:
        return False


@dataclass(frozen=True, eq=False)
class ScanDrafts:
    """The draft of one scan.

    Attributes
    ----------
    views : tuple of str
        `view_key` of each view of the scan, in its order.
    names_regions : bool
        True for masks of region codes, False if 1 means bone; each kind has its own draft.
    """

    views: tuple[str, ...]
    names_regions: bool

    @classmethod
    def of(cls, counts: NDArray[np.generic], *, names_regions: bool) -> ScanDrafts:
        """The draft of a scan with these counts, of shape (view, y, x)."""
        return cls(tuple(view_key(view) for view in counts), names_regions)

    @property
    def key(self) -> str:
        """A name for the scan, the same in whichever order its views come."""
        return "-".join(sorted(self.views)) + ("" if self.names_regions else ".skeleton")

    def save(self, regions: NDArray[np.uint8], origin: Origin) -> None:
        """Save unsaved work, a mask of shape (view, y, x), in place of the earlier draft.

        Raises
        ------
        CannotWrite
            If the disk is full or not writable; the earlier draft remains.
        """
        make_drafts_folder()
        write_bytes_atomically(self._path, encode_draft(self.key, "", regions[list(self._order)], origin))

    def find(self) -> Draft | None:
        """The draft, with the views in the order of the scan; None if there is none, or if it is damaged."""
        try:
            if not self._path.exists():
                return None
            draft = read_draft(self._path)
        except (OSError, Damaged):
            return None
        if len(draft.regions) != len(self.views):
            return None
        regions = np.empty_like(draft.regions)
        regions[list(self._order)] = draft.regions
        return type(draft)(self.key, "", draft.when, draft.origin, regions)

    def discard(self) -> None:
        """Delete the draft, if there is one; raises `CannotWrite` if that fails."""
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            raise CannotWrite(f"{self._path}: could not be deleted ({error.strerror or error}).") from error

    def claim(self) -> FileLock | None:
        """Claim the scan for this window until the lock is released; None if another window or program has it."""
        make_drafts_folder()
        # Claimed in one thread and released in another.
        lock = FileLock(drafts_folder() / f".{self._file_stem}.open", thread_local=False)
        try:
            return lock if take(lock, _SECONDS_TO_WAIT) else None
        except OSError:  # a folder that cannot be written, which saving a draft reports
            return lock

    @property
    def _order(self) -> tuple[int, ...]:
        return tuple(int(index) for index in np.argsort(np.array(self.views), kind="stable"))

    @property
    def _file_stem(self) -> str:
        # Many views would make the name too long.
        whole = self.key
        return whole if len(whole) < 128 else hashlib.sha256(whole.encode()).hexdigest()

    @property
    def _path(self) -> Path:
        return drafts_folder() / f"{self._file_stem}{_ENDING}"
