"""Which corrected scans of label stores are trained on, which are held out, and which are left out and why.

Imports no torch.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_bonescint.corrections.errors import Damaged
from napari_bonescint.corrections.label_store import LabelStore
from napari_bonescint.training.held_out import is_held_out

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_bonescint.scan import Scan


@dataclass(frozen=True)
class CorrectedScan:
    """A scan with a mask that a person calls finished; its pixels are read when they are asked for.

    Attributes
    ----------
    store_folder : Path
    case : str
        Key of the case.
    patient_key : str
        Equal for scans of one patient.
    revision : int
        Number of the revision.
    names_regions : bool
        Whether the mask holds region codes; otherwise 1 means bone, whichever.
    image_sha256, mask_sha256 : str
        Hashes of counts and mask, see `plane_files.planes_sha256`.
    """

    store_folder: Path
    case: str
    patient_key: str
    revision: int
    names_regions: bool
    image_sha256: str
    mask_sha256: str

    def read(self) -> tuple[Scan, NDArray[np.uint8]]:
        """The scan and its mask, uint8 of the counts' shape (view, y, x).

        Raises
        ------
        StoreError
            If a file is damaged or cannot be reached.
        """
        store = LabelStore(self.store_folder)
        return store.scan(self.case), store.regions(self.case, self.revision)


@dataclass(frozen=True)
class Selection:
    """What there is in label stores to learn from.

    Attributes
    ----------
    training, held_out : list of CorrectedScan
        To train on, and never to train on; no patient is in both.
    left_out : list of (str, str)
        Keys of cases that people worked on and that are in neither, and why: a sentence.
    stores : list of str
        Hashes of the stores, see `LabelStore.manifest_sha256`.
    """

    training: list[CorrectedScan]
    held_out: list[CorrectedScan]
    left_out: list[tuple[str, str]]
    stores: list[str]

    def manifest(self) -> dict[str, Any]:
        """All of it as JSON, without a path or a name: what the training was shown."""
        return {
            "stores": self.stores,
            "training": [_entry(scan) for scan in self.training],
            "held_out": [_entry(scan) for scan in self.held_out],
            "left_out": [{"case": case, "why": why} for case, why in self.left_out],
        }

    @property
    def sha256(self) -> str:
        """Hash of the manifest, hexadecimal."""
        canonical = json.dumps(self.manifest(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


def select(stores: Sequence[LabelStore], on_progress: Callable[[float], object] = lambda _fraction: None) -> Selection:
    """Take the latest reviewed revision of each case, and hold out patients.

    Every mask and all counts are read once and compared with their hashes.

    Parameters
    ----------
    stores : sequence of LabelStore
        A scan that is held out in one of them is trained on in none.
    on_progress : callable
        Told the fraction done, 0 to 1.

    Raises
    ------
    StoreError
        If a store cannot be reached.
    """
    by_folder = {store.folder.resolve(): store for store in stores}
    work = [(store, case) for store in by_folder.values() for case in store.keys()]  # noqa: SIM118 - a store is no dict
    found: list[CorrectedScan] = []
    left_out: list[tuple[str, str]] = []
    for done, (store, case) in enumerate(work):
        on_progress(done / len(work))
        try:
            scan = _latest(store, case)
            if scan is not None:
                found.append(scan)
        except Damaged as error:
            left_out.append((case, str(error).removeprefix(f"{store.folder}").lstrip("/\\")))
        except _Unusable as error:
            left_out.append((case, str(error)))
    held_out = [scan for scan in found if is_held_out(scan.patient_key)]
    unseen = {scan.image_sha256 for scan in held_out}
    training = []
    for scan in found:
        if is_held_out(scan.patient_key):
            continue
        if scan.image_sha256 in unseen:
            left_out.append((scan.case, "The same scan is held out in another of the stores."))
        else:
            training.append(scan)
    return Selection(training, held_out, left_out, [store.manifest_sha256() for store in by_folder.values()])


class _Unusable(Exception):
    """A mask that nothing can be learnt from."""


def _latest(store: LabelStore, case: str) -> CorrectedScan | None:
    """The latest reviewed revision of a case; None if nobody worked on it."""
    revisions = store.revisions(case)
    if not revisions:
        return None
    revision = next((each for each in reversed(revisions) if each.reviewed), None)
    if revision is None:
        raise _Unusable("No revision is reviewed; save it as reviewed once it is finished.")
    scan, regions = store.scan(case), store.regions(case, revision.number)
    facts = store.files(case).facts()
    if revision.image_sha256 != facts.image_sha256:
        raise _Unusable(f"Revision {revision.number} was made of other counts.")
    for view, mask in zip(scan.views, regions, strict=True):
        if not mask.any():
            raise _Unusable(f"Revision {revision.number} shows no bone in the {view.name} view.")
        if mask.all():
            raise _Unusable(f"Revision {revision.number} calls all of the {view.name} view bone.")
    if revision.names_regions and np.unique(regions).size < 3:
        raise _Unusable(f"Revision {revision.number} is to name bones, but names a single one everywhere.")
    return CorrectedScan(
        store_folder=store.folder,
        case=case,
        patient_key=facts.patient_key,
        revision=revision.number,
        names_regions=revision.names_regions,
        image_sha256=facts.image_sha256,
        mask_sha256=revision.mask_sha256,
    )


def _entry(scan: CorrectedScan) -> dict[str, Any]:
    return {
        "case": scan.case,
        "patient_key": scan.patient_key,
        "revision": scan.revision,
        "names_regions": scan.names_regions,
        "mask_sha256": scan.mask_sha256,
    }
