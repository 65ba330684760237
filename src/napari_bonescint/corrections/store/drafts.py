"""Drafts: unsaved work, stored so that a crash loses only seconds. There is one for each annotator and case.

A new draft replaces the old one atomically. If one annotator works on a case in two windows, the last draft is kept.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.corrections.errors import Damaged, StoreError, reachable, read_bytes
from napari_bonescint.corrections.store.files.checksummed_json import seal, unseal
from napari_bonescint.corrections.store.files.plane_files import planes_sha256
from napari_bonescint.corrections.store.records.revision import Origin  # noqa: TC001 - `facts.build` looks at the types
from napari_bonescint.files.atomic import CannotWrite, write_bytes_atomically
from napari_bonescint.files.facts import build

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_bonescint.corrections.store.label_store import LabelStore


# Twice the size of the largest mask.
_MOST_BYTES = 2**28


@dataclass(frozen=True)
class Draft:
    """Unsaved work on a case.

    Attributes
    ----------
    case : str
        Key of the case.
    annotator : str
    when : str
        Time of saving in UTC: ``2026-03-01T09:30:00+00:00``.
    origin : Origin
        The mask that the work began with.
    regions : ndarray of uint8, shape (view, y, x)
        The mask.
    """

    case: str
    annotator: str
    when: str
    origin: Origin
    regions: NDArray[np.uint8]


@dataclass(frozen=True)
class _DraftFacts:
    """The facts in the file of a draft."""

    case: str
    annotator: str
    when: str
    origin: Origin
    mask_sha256: str


class Drafts:
    """The drafts of a store. Methods that read raise `StoreError` if a file is damaged or cannot be reached."""

    def __init__(self, store: LabelStore) -> None:
        self._folder = store.folder / "drafts"

    def save(self, case: str, annotator: str, regions: NDArray[np.uint8], origin: Origin) -> None:
        """Save unsaved work in place of the annotator's earlier draft of the case; see `Draft` for the parameters.

        Raises
        ------
        CannotWrite
            If the store is full, not writable or gone; the earlier draft remains.
        """
        write_bytes_atomically(self._path(case, annotator), encode_draft(case, annotator, regions, origin))

    def find(self, case: str, annotator: str) -> Draft | None:
        """The annotator's draft of a case, if there is one."""
        path = self._path(case, annotator)
        with reachable(path):
            return read_draft(path) if path.exists() else None

    def waiting(self, annotator: str) -> list[Draft]:
        """All intact drafts of an annotator, by case."""
        drafts = []
        with reachable(self._folder):
            paths = sorted(self._folder.glob(f"*.{annotator_key(annotator)}.npz"))
        for path in paths:
            with suppress(Damaged):
                drafts.append(read_draft(path))
        return drafts

    def times(self, case: str) -> list[tuple[str, int]]:
        """Name and time of change, in nanoseconds, of each draft of a case."""
        found = []
        with reachable(self._folder):
            for path in self._folder.glob(f"{case}.*.npz"):
                with suppress(FileNotFoundError):  # discarded at this moment
                    found.append((path.name, path.stat().st_mtime_ns))
        return found

    def of_others(self, case: str, annotator: str) -> list[Draft]:
        """All intact drafts of a case by other annotators, the oldest first."""
        drafts = []
        own = self._path(case, annotator)
        with reachable(self._folder):
            paths = sorted(path for path in self._folder.glob(f"{case}.*.npz") if path != own)
        for path in paths:
            with suppress(Damaged):
                drafts.append(read_draft(path))
        return sorted(drafts, key=lambda draft: draft.when)

    def discard(self, case: str, annotator: str) -> None:
        """Delete the annotator's draft of a case, if there is one; raises `CannotWrite` if that fails."""
        path = self._path(case, annotator)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise CannotWrite(f"{path}: could not be deleted ({error.strerror or error}).") from error

    def _path(self, case: str, annotator: str) -> Path:
        return self._folder / f"{case}.{annotator_key(annotator)}.npz"


def encode_draft(case: str, annotator: str, regions: NDArray[np.uint8], origin: Origin) -> bytes:
    """The content of the file of a draft, made now; see `Draft` for the parameters."""
    facts = {
        "case": case,
        "annotator": annotator,
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "origin": origin.as_facts(),
        "mask_sha256": planes_sha256(regions),
    }
    buffer = io.BytesIO()
    np.savez_compressed(buffer, regions=regions, facts=np.frombuffer(seal(facts), np.uint8))
    return buffer.getvalue()


def read_draft(path: Path) -> Draft:
    """Read a draft; raises `Damaged` if the file is no draft or damaged, `StoreError` if it cannot be reached."""
    content = read_bytes(path)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            # The size is checked before anything is unpacked.
            if sum(part.file_size for part in archive.infolist()) > _MOST_BYTES:
                raise Damaged(f"{path}: is larger than the draft of any scan.")
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            facts = build(_DraftFacts, unseal(path, arrays["facts"].tobytes()))
            regions = arrays["regions"]
        if regions.dtype != np.uint8 or regions.ndim != 3 or planes_sha256(regions) != facts.mask_sha256:
            raise Damaged(f"{path}: is a damaged draft.")
        return Draft(facts.case, facts.annotator, facts.when, facts.origin, regions)
    except StoreError:
        raise
    except Exception as error:  # zipfile and NumPy raise whatever their parsers trip over
        raise Damaged(f"{path}: is no draft, or a damaged one.") from error


def annotator_key(annotator: str) -> str:
    """A part of a file name for an annotator, whose name may have any characters."""
    return hashlib.sha256(annotator.encode()).hexdigest()[:16]
