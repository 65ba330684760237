"""Add an open scan with its corrected mask to a label store."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_bonescint.errors import BonescintError
from napari_bonescint.formats.dicom.identity import Identity, burned_in_text, read_identity
from napari_bonescint.formats.opening import collect
from napari_bonescint.formats.safe_reading.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from napari_bonescint.corrections.store.label_store import LabelStore
    from napari_bonescint.corrections.store.records.revision import Origin, Revision
    from napari_bonescint.scan import Scan
    from napari_bonescint.segmentation import Segmentation

NO_FILE = (
    "The file of this scan was not found, so the label store cannot tell whose it is, and takes it as a new patient's."
)


@dataclass(frozen=True, eq=False)
class CorrectedScan:
    """A scan that is in no store, with a corrected mask.

    Attributes
    ----------
    scan : Scan
    files : sequence of Path
        The files or folders that it may have been opened from; used only if they are those of the scan.
    regions : ndarray of uint8, shape (view, y, x)
    names_regions : bool
        True if `regions` are region codes, False if 1 means bone.
    origin : Origin
        The mask that the work began with.
    segmentation : Segmentation or None
        The last result of a model for the scan.
    """

    scan: Scan
    files: Sequence[Path]
    regions: NDArray[np.uint8]
    names_regions: bool
    origin: Origin
    segmentation: Segmentation | None


@dataclass(frozen=True)
class Added:
    """The case and the revision of a scan that was added, with warnings for the user."""

    case: str
    revision: Revision
    warnings: tuple[str, ...]


def add_corrected(
    store: LabelStore, corrected: CorrectedScan, *, annotator: str, reviewed: bool, comment: str
) -> Added:
    """Add a scan, unless the store has it, and its mask as a new revision; see `LabelStore.add` and `LabelStore.save`.

    Raises
    ------
    StoreError
        If the store cannot be reached, or has the scan with other views, another spacing or another orientation.
    CannotWrite
        If the store is full or not writable.
    """
    paths = _files_of(corrected.scan, corrected.files)
    identity = read_identity(paths[0]) if paths else Identity()
    # A picture has no identity, and no hash by which its file could be told from others.
    shown = paths if corrected.scan.source_sha256 else [path for path in corrected.files if path.is_file()]
    warnings = []
    for path in shown:
        with suppress(Refusal):  # the file may have gone since
            warnings += [text for text in (burned_in_text(path),) if text]
    if corrected.scan.source_sha256 and not paths:
        warnings.append(NO_FILE)
    case = store.add(corrected.scan, identity)
    if corrected.segmentation is not None:
        store.add_prediction(case, corrected.segmentation)
    revision = store.save(
        case,
        corrected.regions,
        corrected.origin,
        annotator=annotator,
        reviewed=reviewed,
        comment=comment,
        names_regions=corrected.names_regions,
    )
    return Added(case, revision, tuple(dict.fromkeys(warnings)))


def _files_of(scan: Scan, files: Sequence[Path]) -> tuple[Path, ...]:
    """Those of some files that are the scan's, by their hash; a scan without a hash is of a picture."""
    if not scan.source_sha256:
        return ()
    for source in collect(files).sources:
        try:
            if source.source_sha256() == scan.source_sha256:
                return source.paths
        except BonescintError:
            continue
    return ()
