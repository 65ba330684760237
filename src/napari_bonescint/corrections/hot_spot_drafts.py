"""Unsaved hot spots and decisions on them, in the user's data folder on this computer.

A draft is found by the pixels of its scan, like those of masks (`scan_drafts`). It holds hot spots and verdicts,
nothing of the patient and no path.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.corrections.errors import Damaged
from napari_bonescint.corrections.scan_drafts import ScanDrafts, drafts_folder, make_drafts_folder
from napari_bonescint.corrections.store.files.checksummed_json import seal, unseal
from napari_bonescint.corrections.store.files.plane_files import planes_sha256
from napari_bonescint.corrections.store.records.found_hot_spots import (
    FoundPixels,  # noqa: TC001 - `facts.build` looks at the types
)
from napari_bonescint.corrections.store.records.hot_spot_revision import (
    SpotDecision,  # noqa: TC001 - `facts.build` looks at the types
)
from napari_bonescint.files.atomic import CannotWrite, write_bytes_atomically
from napari_bonescint.files.facts import build

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

_ENDING = ".hotspots"
# Four times the size of the largest mask.
_MOST_BYTES = 2**29


@dataclass(frozen=True)
class SpotDraft:
    """Unsaved hot spots of a scan.

    Attributes
    ----------
    when : str
        Time of saving in UTC: ``2026-03-01T09:30:00+00:00``.
    labels : ndarray of uint16, shape (view, y, x)
        Hot spots, numbered within a view from 1.
    spots : tuple of SpotDecision
        The decisions of the reader.
    changed : tuple of FoundPixels
        Where the hot spots as found differ from `labels`.
    """

    when: str
    labels: NDArray[np.uint16]
    spots: tuple[SpotDecision, ...]
    changed: tuple[FoundPixels, ...] = ()


@dataclass(frozen=True)
class _Facts:
    """The facts in the file of a draft."""

    when: str
    spots: tuple[SpotDecision, ...]
    labels_sha256: str
    changed: tuple[FoundPixels, ...] = ()


def any_drafts() -> bool:
    """Whether there are drafts of hot spots at all; false if the folder cannot be read."""
    try:
        return any(drafts_folder().glob(f"*{_ENDING}"))
    except OSError:
        return False


class HotSpotDrafts:
    """The draft of the hot spots of one scan; `counts` have the shape (view, y, x)."""

    def __init__(self, counts: NDArray[np.generic]) -> None:
        # The order of the views is that of the scan, so it is a part of the name.
        self._stem = "-".join(ScanDrafts.of(counts, names_regions=True).views)

    def save(
        self, labels: NDArray[np.uint16], spots: Sequence[SpotDecision], changed: Sequence[FoundPixels] = ()
    ) -> None:
        """Save unsaved work in place of the earlier draft; see `SpotDraft` for the parameters.

        Raises
        ------
        CannotWrite
            If the disk is full or not writable; the earlier draft remains.
        """
        facts = {
            "when": datetime.now(UTC).isoformat(timespec="seconds"),
            "spots": [asdict(spot) for spot in spots],
            "labels_sha256": planes_sha256(labels),
            "changed": [asdict(pixels) for pixels in changed],
        }
        buffer = io.BytesIO()
        np.savez_compressed(buffer, labels=labels, facts=np.frombuffer(seal(facts), np.uint8))
        make_drafts_folder()
        write_bytes_atomically(self._path, buffer.getvalue())

    def find(self) -> SpotDraft | None:
        """The draft; None if there is none, or if it is damaged."""
        try:
            return _read(self._path) if self._path.exists() else None
        except (OSError, Damaged):
            return None

    def discard(self) -> None:
        """Delete the draft, if there is one; raises `CannotWrite` if that fails."""
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            raise CannotWrite(f"{self._path}: could not be deleted ({error.strerror or error}).") from error

    @property
    def _path(self) -> Path:
        return drafts_folder() / f"{self._stem}{_ENDING}"


def _read(path: Path) -> SpotDraft:
    content = path.read_bytes()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            # The size is checked before anything is unpacked.
            if sum(part.file_size for part in archive.infolist()) > _MOST_BYTES:
                raise Damaged(f"{path}: is larger than the draft of any scan.")
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            facts = build(_Facts, unseal(path, arrays["facts"].tobytes()))
            labels = arrays["labels"]
        if labels.dtype != np.uint16 or labels.ndim != 3 or planes_sha256(labels) != facts.labels_sha256:
            raise Damaged(f"{path}: is a damaged draft.")
    except Damaged:
        raise
    except Exception as error:  # zipfile and NumPy raise whatever their parsers trip over
        raise Damaged(f"{path}: is no draft, or a damaged one.") from error
    return SpotDraft(facts.when, labels, facts.spots, facts.changed)
