"""Select the corrected scans of label stores for training, validation and judging."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from napari_bonescint.corrections.errors import Damaged
from napari_bonescint.corrections.mask_validation import ValidMasks
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.corrections.store.manifest import manifest_sha256
from napari_bonescint.corrections.store.patient_split import Part
from napari_bonescint.inference.devices import usable_cores

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from napari_bonescint.scan import Scan

_AT_A_TIME = 256
_OTHER_PART = {
    Part.JUDGED: "The same patient is held out for judging, under another key or in another store.",
    Part.VALIDATING: "The same patient validates, under another key or in another store.",
}

Patient = tuple[Path, str]
"""The folder of a store, and the key of a patient in it."""


@dataclass(frozen=True)
class CorrectedScan:
    """A scan with a reviewed mask; `read` reads the pixels.

    Attributes
    ----------
    store_folder : Path
    case : str
        Key of the case.
    patient_key : str
        Equal for scans of one patient, see `patients.Patients.person`.
    study_key : str
        Equal for scans of one study.
    revision : int
        Number of the revision.
    names_regions : bool
        True if the mask has region codes, False if 1 means bone.
    image_sha256, mask_sha256 : str
        Hashes of counts and mask, see `plane_files.planes_sha256`. No file may contain the first one, because it would
        reveal the scan to anybody who has it.
    """

    store_folder: Path
    case: str
    patient_key: str
    study_key: str
    revision: int
    names_regions: bool
    image_sha256: str
    mask_sha256: str

    @property
    def patient(self) -> Patient:
        """The patient, distinct from patients of other stores."""
        return self.store_folder, self.patient_key

    def read(self) -> tuple[Scan, NDArray[np.uint8]]:
        """Read the scan and its mask, uint8 of the counts' shape (view, y, x); raises `StoreError` if it is damaged."""
        store = LabelStore(self.store_folder)
        return store.scan(self.case), store.regions(self.case, self.revision)


@dataclass(frozen=True)
class Selection:
    """The corrected scans of label stores, in three parts; no patient is in two parts.

    Attributes
    ----------
    training : list of CorrectedScan
        To train on.
    validation : list of CorrectedScan
        To choose the checkpoint and to fit the temperature.
    held_out : list of CorrectedScan
        Only to judge models.
    left_out : list of (str, str)
        Keys of corrected cases that are in no part, with the reason as a sentence.
    stores : list of str
        Hashes of the stores, see `corrections.store.manifest`.
    """

    training: list[CorrectedScan]
    validation: list[CorrectedScan]
    held_out: list[CorrectedScan]
    left_out: list[tuple[str, str]]
    stores: list[str]

    @property
    def scans(self) -> list[CorrectedScan]:
        """The scans of all three parts."""
        return self.training + self.validation + self.held_out

    def manifest(self) -> dict[str, Any]:
        """The selection as JSON, without paths and names, for the record of a training."""
        return {
            "stores": self.stores,
            "training": [_entry(scan) for scan in self.training],
            "validation": [_entry(scan) for scan in self.validation],
            "held_out": [_entry(scan) for scan in self.held_out],
            "left_out": [{"case": case, "why": why} for case, why in self.left_out],
        }

    @property
    def sha256(self) -> str:
        """Hash of the manifest, hexadecimal."""
        canonical = json.dumps(self.manifest(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


def select(stores: Sequence[LabelStore], on_progress: Callable[[float], object] = lambda _fraction: None) -> Selection:
    """Select the latest reviewed revision of each case, and divide the patients into three parts.

    Several threads compare all counts and masks with their hashes; the result is cached, see `mask_validation`.

    Parameters
    ----------
    stores : sequence of LabelStore
        A patient who is held out in one store is not used for training or validation in any store; one who validates
        in one store trains in none. Patients are the same by the records of a store, or if they share a scan or study.
    on_progress : callable
        Called with the fraction done, 0 to 1.

    Raises
    ------
    StoreError
        If a store cannot be reached.
    """
    fit = [ValidMasks(store) for store in {store.folder.resolve(): store for store in stores}.values()]
    work = [(masks, case) for masks in fit for case in masks.store.keys()]  # noqa: SIM118 - a store is no dict
    found: list[CorrectedScan] = []
    left_out: list[tuple[str, str]] = []
    with ThreadPoolExecutor(usable_cores()) as threads:
        # In portions, so that memory does not grow with the store.
        for first in range(0, len(work), _AT_A_TIME):
            on_progress(first / len(work))
            for outcome in threads.map(_examine, work[first : first + _AT_A_TIME]):
                if isinstance(outcome, CorrectedScan):
                    found.append(outcome)
                elif outcome is not None:
                    left_out.append(outcome)
    for masks in fit:
        masks.keep()
    patients = {masks.store.folder: masks.store.patients() for masks in fit}
    found = [replace(scan, patient_key=patients[scan.store_folder].person(scan.patient_key)) for scan in found]
    own = {scan.patient: patients[scan.store_folder].part(scan.patient_key) for scan in found}
    parts = _agreed(own, found)
    chosen: dict[Part, list[CorrectedScan]] = {part: [] for part in Part}
    for scan in found:
        part = parts[scan.patient]
        if own[scan.patient] is part:
            chosen[part].append(scan)
        else:
            left_out.append(_LeftOut(scan.case, _OTHER_PART[part]))
    return Selection(
        chosen[Part.TRAINED],
        chosen[Part.VALIDATING],
        chosen[Part.JUDGED],
        left_out,
        [manifest_sha256(masks.store) for masks in fit],
    )


def _agreed(own: Mapping[Patient, Part], found: Sequence[CorrectedScan]) -> dict[Patient, Part]:
    """The part of each patient; patients who share a scan or a study get the same, least exposed part.

    Their scans in other parts are left out, since the next scan may get any of their keys.
    """
    of_scan: dict[str, set[Patient]] = defaultdict(set)
    for scan in found:
        of_scan[scan.image_sha256].add(scan.patient)
        of_scan[f"{scan.store_folder}/{scan.study_key}"].add(scan.patient)
    parts = dict(own)
    shared = [patients for patients in of_scan.values() if len(patients) > 1]
    # Patients may be linked in a chain over several stores, so repeat until nothing changes.
    while True:
        before = dict(parts)
        for patients in shared:
            least_exposed = max((parts[patient] for patient in patients), key=list(Part).index)
            parts.update(dict.fromkeys(patients, least_exposed))
        if parts == before:
            return parts


class _LeftOut(NamedTuple):
    case: str
    why: str


def _examine(work: tuple[ValidMasks, str]) -> CorrectedScan | _LeftOut | None:
    """The latest reviewed revision of a case, or why it is left out; None if the case has no revision."""
    masks, case = work
    store = masks.store
    try:
        revisions = store.all_revisions(case)
        if revisions.later_damage:
            raise Damaged(f"{revisions.later_damage} Restore it from a backup, or save the case again.")
        if not revisions.intact:
            return None
        revision = next((each for each in reversed(revisions.intact) if each.reviewed), None)
        if revision is None:
            return _LeftOut(case, "No revision is reviewed; save it as reviewed once it is finished.")
        facts = store.files(case).facts()
        if revision.image_sha256 != facts.image:
            return _LeftOut(case, f"Revision {revision.number} is of other counts.")
        if fault := masks.fault(case, revision):
            return _LeftOut(case, fault)
        image_sha256 = store.image_sha256(case)
    except Damaged as error:
        return _LeftOut(case, str(error).removeprefix(f"{store.folder}").lstrip("/\\"))
    return CorrectedScan(
        store_folder=store.folder,
        case=case,
        patient_key=facts.patient_key,
        study_key=facts.study_key,
        revision=revision.number,
        names_regions=revision.names_regions,
        image_sha256=image_sha256,
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
