"""Which corrected scans of label stores train, validate and judge, and which are left out and why."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from napari_bonescint.corrections.errors import Damaged
from napari_bonescint.corrections.mask_validation import FitMasks
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
_ELSEWHERE = {
    Part.JUDGED: "The same patient is held out for judging, under another key or in another store.",
    Part.VALIDATING: "The same patient validates, under another key or in another store.",
}

Patient = tuple[Path, str]
"""The folder of a store, and the key of a patient in it."""


@dataclass(frozen=True)
class CorrectedScan:
    """A scan with a mask that a person calls finished; its pixels are read when they are asked for.

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
        Whether the mask holds region codes; otherwise 1 means bone, whichever.
    image_sha256, mask_sha256 : str
        Plain hashes of counts and mask, see `plane_files.planes_sha256`. The first is for no file to keep: whoever has
        the scan could find it by it.
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
        """The patient, told apart from those of other stores."""
        return self.store_folder, self.patient_key

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
    training : list of CorrectedScan
        To train on.
    validation : list of CorrectedScan
        To choose the checkpoint and to fit the temperature on.
    held_out : list of CorrectedScan
        To judge on, and for nothing else. No patient is in two of the three.
    left_out : list of (str, str)
        Keys of cases that people worked on and that are in none, and why: a sentence.
    stores : list of str
        Hashes of the stores, see `corrections.manifest`.
    """

    training: list[CorrectedScan]
    validation: list[CorrectedScan]
    held_out: list[CorrectedScan]
    left_out: list[tuple[str, str]]
    stores: list[str]

    @property
    def scans(self) -> list[CorrectedScan]:
        """Those of all three parts."""
        return self.training + self.validation + self.held_out

    def manifest(self) -> dict[str, Any]:
        """All of it as JSON, without a path or a name: what the training was shown."""
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
    """Take the latest reviewed revision of each case, and sort the patients into three parts.

    Every mask and all counts are read once and compared with their hashes, by several threads; which were fit is kept
    in the store, so that the next time is quick, see `mask_validation`.

    Parameters
    ----------
    stores : sequence of LabelStore
        A patient who is held out in one of them trains and validates in none, and one who validates in one trains in
        none. Who is the same is told by the records of a store, and by a scan or study that two patients share.
    on_progress : callable
        Told the fraction done, 0 to 1.

    Raises
    ------
    StoreError
        If a store cannot be reached.
    """
    fit = [FitMasks(store) for store in {store.folder.resolve(): store for store in stores}.values()]
    work = [(masks, case) for masks in fit for case in masks.store.keys()]  # noqa: SIM118 - a store is no dict
    found: list[CorrectedScan] = []
    left_out: list[tuple[str, str]] = []
    with ThreadPoolExecutor(usable_cores()) as threads:
        # Some at a time, so that memory does not grow with the store.
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
            left_out.append(_LeftOut(scan.case, _ELSEWHERE[part]))
    return Selection(
        chosen[Part.TRAINED],
        chosen[Part.VALIDATING],
        chosen[Part.JUDGED],
        left_out,
        [manifest_sha256(masks.store) for masks in fit],
    )


def _agreed(own: Mapping[Patient, Part], found: Sequence[CorrectedScan]) -> dict[Patient, Part]:
    """What each patient is for, where those who share a scan or a study are taken as the same, though nobody said so.

    All but one part of such a patient is left out, since it cannot be told which key the next scan will come under.
    """
    of_scan: dict[str, set[Patient]] = defaultdict(set)
    for scan in found:
        of_scan[scan.image_sha256].add(scan.patient)
        of_scan[f"{scan.store_folder}/{scan.study_key}"].add(scan.patient)
    parts = dict(own)
    shared = [patients for patients in of_scan.values() if len(patients) > 1]
    # One key may be two in another store, so that what is known of one reaches the next in several rounds.
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


def _examine(work: tuple[FitMasks, str]) -> CorrectedScan | _LeftOut | None:
    """The latest reviewed revision of a case; None if nobody worked on it."""
    masks, case = work
    store = masks.store
    try:
        revisions = store.all_revisions(case)
        if revisions.later_damage:
            raise Damaged(f"{revisions.later_damage} Bring it back from a copy, or save the case anew.")
        if not revisions.intact:
            return None
        revision = next((each for each in reversed(revisions.intact) if each.reviewed), None)
        if revision is None:
            return _LeftOut(case, "No revision is reviewed; save it as reviewed once it is finished.")
        facts = store.files(case).facts()
        if revision.image_sha256 != facts.image:
            return _LeftOut(case, f"Revision {revision.number} was made of other counts.")
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
